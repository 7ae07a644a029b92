import type { Footprint } from '@mai/memory-ledger';
import type { AutopilotPorts } from '@mai/autopilot';
import { assembleSelectionInput } from '@mai/autopilot';
import type { ModelProfile } from '@mai/model-config';
import type { Rejection } from '@mai/selector';
import { selectModel } from '@mai/selector';
import type { Catalog } from './catalog.js';
import type { Library } from './library.js';

/** A model with what it takes here and whether it fits now. */
export interface ModelReport {
  readonly profile: ModelProfile;
  readonly sizeBytes: number | null;
  readonly loaded: boolean;
  readonly footprint: Footprint | null;
  /** Null where it fits. */
  readonly rejection: Rejection | null;
}

/** What models are judged by. */
export interface Judged {
  readonly ports: AutopilotPorts;
  readonly catalog: Catalog;
  readonly library: Library;
}

/** Judges each model on its own, as configured, as if no other were wanted. */
export async function judgeModels(
  { ports, catalog, library }: Judged,
  profiles: readonly ModelProfile[],
  signal: AbortSignal,
): Promise<readonly ModelReport[]> {
  const input = await assembleSelectionInput(
    { ...ports, catalog: catalog.portOf(profiles) },
    { tradeOffs: false },
    { signal },
  );
  const sizes = new Map(
    library.models.map(({ modelKey, sizeBytes }) => [
      modelKey,
      // An old LM Studio lists models without their size.
      sizeBytes === 0 ? null : sizeBytes,
    ]),
  );
  return profiles.flatMap((profile) => {
    const candidate = input.candidates.find(({ modelKey }) => modelKey === profile.modelKey);
    if (candidate === undefined) return [];
    // One candidate at a time: each answer is about that model alone.
    const { rejected } = selectModel({ ...input, candidates: [candidate] });
    return {
      profile,
      sizeBytes: sizes.get(profile.modelKey) ?? null,
      loaded: input.residents.some(({ modelKey }) => modelKey === profile.modelKey),
      footprint: candidate.loadOptions[0]?.footprint ?? null,
      rejection: rejected[0]?.rejection ?? null,
    };
  });
}
