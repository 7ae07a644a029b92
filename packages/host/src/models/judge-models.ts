import type { AutopilotPorts } from '@mai/autopilot';
import { assembleSelectionInput } from '@mai/autopilot';
import type { ModelProfile } from '@mai/model-config';
import { fitOf, type ModelFit } from './model-fit.js';
import type { Catalog } from './catalog.js';
import type { Downloads } from './downloads.js';

/** A model with what it takes here and whether it fits now. */
export interface ModelReport extends Pick<ModelFit, 'footprint' | 'rejection'> {
  readonly profile: ModelProfile;
  /** Size on disk; null where LM Studio does not tell. */
  readonly sizeBytes: number | null;
  readonly loaded: boolean;
}

/** Judges each model on its own and as configured, as if no other were wanted. */
export async function judgeModels(
  { ports, catalog, downloads }: JudgingParts,
  profiles: readonly ModelProfile[],
  signal: AbortSignal,
): Promise<readonly ModelReport[]> {
  const input = await assembleSelectionInput(
    { ...ports, catalog: catalog.portOf(profiles) },
    { ladder: false },
    { signal },
  );
  const sizes = new Map(
    downloads.models.map(({ modelKey, sizeBytes }) => [
      modelKey,
      // An old LM Studio lists models without their size.
      sizeBytes === 0 ? null : sizeBytes,
    ]),
  );
  return profiles.flatMap((profile) => {
    const candidate = input.candidates.find(({ modelKey }) => modelKey === profile.modelKey);
    if (candidate === undefined) return [];
    const { footprint, rejection } = fitOf(candidate, input);
    return {
      profile,
      sizeBytes: sizes.get(profile.modelKey) ?? null,
      loaded: input.residents.some(({ modelKey }) => modelKey === profile.modelKey),
      footprint,
      rejection,
    };
  });
}

interface JudgingParts {
  readonly ports: AutopilotPorts;
  readonly catalog: Catalog;
  readonly downloads: Downloads;
}
