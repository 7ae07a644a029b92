import type { Capability, Tier } from '@mai/memory-ledger';
import { assembleSelectionInput } from '@mai/autopilot';
import type { ModelProfile } from '@mai/model-config';
import type { Session } from '../session.js';
import { withLoadConfig } from './catalog.js';
import type { Downloads, DownloadsReport } from './downloads.js';
import { fitOf, type ModelFit } from './model-fit.js';

/** Selects the models of a list. */
export interface ModelsQuery {
  readonly tier?: Tier | null;
  /** Only models with all of these capabilities. */
  readonly capabilities?: readonly Capability[];
  /** Context length in tokens for the verdict. Null, the default: each model's configured length. */
  readonly contextLengthTokens?: number | null;
  /** Whether to list also configured models that are not downloaded. Default false. */
  readonly all?: boolean;
}

/** The models of a machine. */
export interface ModelList extends DownloadsReport {
  readonly models: readonly ModelReport[];
  /** Number of all downloaded models, also those that the query leaves out. */
  readonly downloadedCount: number;
}

/** A model with its memory on this machine and whether it fits now. */
export interface ModelReport extends Pick<ModelFit, 'footprint' | 'rejection'> {
  readonly profile: ModelProfile;
  /** Size on disk; null where LM Studio does not tell. */
  readonly sizeBytes: number | null;
  readonly loaded: boolean;
}

/** Lists models. Each is judged as if it were the only candidate, with its configured settings. */
export async function listModels(session: Session, query: ModelsQuery): Promise<ModelList> {
  const { tier = null, capabilities = [], contextLengthTokens = null, all = false } = query;
  const [downloads, { profiles }] = await Promise.all([session.downloads(), session.catalog()]);
  const listed = profiles.filter(
    (profile) =>
      (profile.downloaded || all) &&
      (tier === null || profile.tier === tier) &&
      capabilities.every((capability) => profile.capabilities.includes(capability)),
  );
  const wanted =
    contextLengthTokens === null
      ? listed
      : listed.map((profile) => withLoadConfig(profile, { contextLengthTokens }));
  const { origin, incomplete, unreadable } = downloads;
  return {
    ...{ origin, incomplete, unreadable },
    models: await judge(session, downloads, wanted),
    downloadedCount: downloads.models.length,
  };
}

async function judge(
  { ports, catalog, context }: Session,
  { models }: Downloads,
  profiles: readonly ModelProfile[],
): Promise<readonly ModelReport[]> {
  const { portOf } = await catalog();
  const input = await assembleSelectionInput(
    { ...ports, catalog: portOf(profiles) },
    { tradeOffs: false },
    { signal: context.signal },
  );
  // Older versions of LM Studio list models without their size.
  const sizes = new Map(models.map(({ modelKey, sizeBytes }) => [modelKey, sizeBytes || null]));
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
