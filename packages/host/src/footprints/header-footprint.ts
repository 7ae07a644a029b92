import { stat } from 'node:fs/promises';
import type { LoadConfig } from '@mai/memory-ledger';
import type { DownloadedModel, ResidentInstance } from '@mai/lmstudio-adapter';
import type {
  EngineProfile,
  EstimateEnvironment,
  FootprintEstimate,
  HeaderCache,
} from '@mai/memory-estimator';
import type { Downloads } from '../downloads/downloads-list.js';
import { fromHeaders } from '../model-files/from-headers.js';
import { orNull, type ModelFiles } from '../model-files/model-files.js';
import { digestOf } from './digest.js';

/** A load of a downloaded model, or of a resident. */
export interface QuestionedLoad {
  readonly loadConfig: LoadConfig;
  /** The machine and the engine. */
  readonly environment: EstimateEnvironment;
  /** Null where the model is not listed. */
  readonly model: DownloadedModel | null;
  /** Null where the files are not on this machine. */
  readonly files: ModelFiles | null;
  /** Null where a new load is planned. */
  readonly resident: ResidentInstance | null;
}

/**
 * An estimate from a header. The engine's profile and the intervals of the parts are left out, because
 * decisions do not use them. They are larger than the rest, and would be stored in the cache and in every
 * decision record for each load option.
 */
export type HeaderEstimate = Omit<FootprintEstimate, 'profile' | 'partIntervals'>;

/** The footprint from the header of a GGUF file; null for any other model, and where the file cannot be read here. */
export async function fromHeader(
  { loadConfig, environment: here, model, files, resident }: QuestionedLoad,
  {
    downloads,
    headers,
  }: { readonly downloads: Pick<Downloads, 'find'>; readonly headers: HeaderCache },
): Promise<HeaderEstimate | null> {
  const [first] = files?.files ?? [];
  if (files?.format !== 'gguf' || first === undefined) return null;
  return orNull(async () => {
    const draftKey = resident?.settings?.draftModelKey ?? null;
    const draftFiles = draftKey === null ? null : (await downloads.find(draftKey))?.files;
    const beside = [await files.findProjector(), draftFiles?.files[0] ?? null];
    const [visionProjector = null, draftModel = null] = await Promise.all(
      beside.map(async (file) => (file === null ? null : headers.read(file))),
    );
    const kind = (resident ?? model)?.kind ?? null;
    const isEmbedding = kind === null ? null : kind === 'embedding';
    const mapsWeights = resident?.settings?.tryMmap ?? true;
    const environment = { ...here, isEmbedding, mapsWeights };
    const stamps = await Promise.all(beside.map(stampOf));
    // The key contains the settings of the load as text, because a text takes less time than its digest.
    const question = JSON.stringify([loadConfig, isEmbedding, mapsWeights, stamps]);
    const key = `${environmentDigest(here)} ${question}`;
    return headers.derive(first, key, async (header): Promise<HeaderEstimate> => {
      const { estimateFootprint } = await fromHeaders();
      const load = { ...environment, visionProjector, draftModel };
      const {
        profile: _,
        partIntervals: __,
        ...estimate
      } = estimateFootprint(header, loadConfig, load);
      return estimate;
    });
  });
}

/** Changes with the content of a file. */
async function stampOf(file: string | null): Promise<string | null> {
  if (file === null) return null;
  const found = await stat(file).catch(() => null);
  return found === null ? null : `${file} ${found.size} ${found.mtimeMs}`;
}

/** Kept, because profiles and environments are large, and the same for many load options of a decision. */
const profileDigests = new WeakMap<EngineProfile, string>();
const environmentDigests = new Map<string, string>();
/**
 * Maximum number of digests that are kept. An environment changes with the GPUs, and with the free memory of several GPUs, so a machine has
 * fewer in a day.
 */
const MOST_ENVIRONMENTS = 100;

function environmentDigest({ profile, ...machine }: EstimateEnvironment): string {
  const ofProfile = profileDigests.get(profile) ?? digestOf(profile);
  profileDigests.set(profile, ofProfile);
  const text = `${ofProfile} ${JSON.stringify(machine)}`;
  const digest = environmentDigests.get(text) ?? digestOf(text);
  if (environmentDigests.size >= MOST_ENVIRONMENTS) environmentDigests.clear();
  environmentDigests.set(text, digest);
  return digest;
}
