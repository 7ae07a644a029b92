import type { Footprint, LoadConfig } from '@mai/memory-ledger';
import { findArchitecture } from '../architecture/architectures.js';
import { unknownMlxGrowth } from '../mlx/unknown-mlx-growth.js';
import { growthOf, mostStateShare, type Growth } from '../memory/growth.js';
import { layersOfRatio } from '../parts/offload.js';
import { mostUsualKvCacheBytes, UPPER_FACTOR, usualKvCacheBytes } from '../parts/usual-kv-cache.js';
import { chooseSettings } from '../load/choose-settings.js';
import { checkFigures } from '../settings/check-figures.js';
import { MAX_TOKENS, NO_SETTINGS } from '../settings/estimate-settings.js';
import { CPU_ENVIRONMENT, usesGpu, type EstimateEnvironment } from '../load/environment.js';
import type { PartIntervals } from '../estimate/footprint-estimate.js';
import { COVERAGE } from '../estimate/interval.js';
import { checkRatios } from '../load/plan-load.js';

const MIB = 1024 * 1024;

/** Compute buffers relative to the size of the file. */
const COMPUTE_SHARE = 0.08;
const FIXED_BYTES = 256 * MIB;

/** The known facts about a model without a readable header. */
export interface FileSizeFacts {
  /** Bytes of all files of the model. */
  readonly sizeBytes: number;
  /** `gguf`, `mlx`, ... in lower case. */
  readonly format: string;
  /** Whether it is loaded to compute embeddings. It then gets no context checkpoints. Default `false`. */
  readonly isEmbedding?: boolean;
  /** `null`: not known, so the model may keep a state or a windowed cache for each sequence. */
  readonly architecture: string | null;
}

/**
 * A footprint by the size of a model's files. Its growth is an upper bound for any model of that size, without the outputs of an
 * embedding model.
 */
export interface FileSizeFootprint extends Footprint {
  readonly growth: Growth;
}

/**
 * Estimates a load from the size of the model's files, with low confidence: for MLX models (LM Studio on
 * Apple silicon) and for files that cannot be read. Weights that are not GGUF count as anonymous.
 *
 * @param loadConfig Only the context length (default: the profile's), the parallel sequences and the offload ratio matter.
 * @param environment Default: a machine without a GPU.
 * @throws RangeError for a size that is not a number of at least 0, and for a figure that no load can have.
 */
export function estimateFromFileSize(
  facts: FileSizeFacts,
  loadConfig: LoadConfig,
  environment: EstimateEnvironment = CPU_ENVIRONMENT,
): FileSizeFootprint {
  const { sizeBytes, format } = facts;
  const chosen = settingsOf(facts, loadConfig, environment);
  const { contextLengthTokens } = chosen.settings;
  const parts = usualParts(facts, contextLengthTokens);
  const extra = parts.kvCacheBytes + parts.computeBytes;
  const totalBytes = sizeBytes + extra;
  const { gpus } = environment;
  const hasGpu = usesGpu(environment);
  const share = shareOnGpus(loadConfig, environment);
  const { mapsWeights, profile } = environment;
  // mlx-engine does not have this setting.
  const offloadsKvCache = format === 'mlx' || chosen.settings.offloadsKvCache;
  const onGpu = Math.round((totalBytes - (offloadsKvCache ? 0 : parts.kvCacheBytes)) * share);
  const isMapped = format === 'gguf' && mapsWeights && !profile.settings.locksWeights.value;
  const mapped = isMapped ? Math.round(sizeBytes * (1 - share)) : 0;
  const { kvCacheBytes } = parts;
  const growth = growthBeyond(kvCacheBytes, { facts, loadConfig, environment, chosen, share });
  return {
    ram: { mappedBytes: mapped, anonymousBytes: totalBytes - onGpu - mapped },
    gpus: hasGpu ? spread(onGpu, gpus) : [],
    interval: {
      coverage: COVERAGE,
      lowBytes: sizeBytes,
      highBytes: totalBytes + UPPER_FACTOR * extra + FIXED_BYTES,
    },
    // The upper end of the interval includes the largest KV cache of one sequence.
    growth:
      format === 'mlx'
        ? { ...growth, inUpperEndBytes: mostUsualKvCacheBytes(contextLengthTokens) - kvCacheBytes }
        : growth,
    source: 'file-size',
    confidence: 'low',
  };
}

/**
 * The most that a model may grow by after its load, where only an upper bound of its size is known, for example from the
 * configuration. The parameters and errors are those of `estimateFromFileSize`.
 */
export function growthBySize(
  facts: FileSizeFacts,
  loadConfig: LoadConfig,
  environment: EstimateEnvironment = CPU_ENVIRONMENT,
): Growth {
  const chosen = settingsOf(facts, loadConfig, environment);
  const share = shareOnGpus(loadConfig, environment);
  return growthBeyond(0, { facts, loadConfig, environment, chosen, share });
}

interface SizedLoad {
  readonly facts: FileSizeFacts;
  readonly loadConfig: LoadConfig;
  readonly environment: EstimateEnvironment;
  readonly chosen: ReturnType<typeof settingsOf>;
  /** The share of the model on GPUs, 0 to 1. */
  readonly share: number;
}

/** @param countedBytes The part of the KV cache that the footprint includes. */
function growthBeyond(
  countedBytes: number,
  { facts, loadConfig, environment, chosen, share }: SizedLoad,
): Growth {
  if (facts.format !== 'mlx') {
    // The size of a context checkpoint depends on the model, so the largest one of the architecture is counted.
    const stateShare = mayKeepState(facts) ? mostStateShare(facts.architecture) : 0;
    const stateBytes = stateShare * facts.sizeBytes;
    return growthOf(null, chosen.ends, environment.profile, {
      unknownStateBytes: stateBytes,
      mayKeepCache: findArchitecture(facts.architecture).memory !== 'none',
    });
  }
  return unknownMlxGrowth({
    sequences: loadConfig.parallelSequences,
    mostKvCacheBytes: mostUsualKvCacheBytes(chosen.settings.contextLengthTokens),
    countedBytes,
    deviceKey: share > 0 ? (environment.gpus[0]?.deviceKey ?? null) : null,
  });
}

function settingsOf(
  { sizeBytes, isEmbedding = false }: FileSizeFacts,
  loadConfig: LoadConfig,
  { profile }: EstimateEnvironment,
) {
  if (!(sizeBytes >= 0 && Number.isFinite(sizeBytes)))
    throw new RangeError(`sizeBytes must be a number of at least 0, not ${sizeBytes}.`);
  checkRatios(loadConfig);
  const { contextLengthTokens: tokens, parallelSequences } = loadConfig;
  const contextLengthTokens = tokens === null ? null : Math.min(tokens, MAX_TOKENS);
  const settings = { ...NO_SETTINGS, contextLengthTokens, parallelSequences };
  const [problem] = checkFigures(settings);
  if (problem !== undefined) throw new RangeError(problem.message);
  return chooseSettings(profile, settings, {
    model: null,
    isEmbedding,
    images: 'none',
    canDraft: false,
  });
}

/** The share of the model on GPUs, 0 to 1. The number of layers is unknown, so the ratio is applied to 100 layers. */
function shareOnGpus({ offloadRatio }: LoadConfig, environment: EstimateEnvironment): number {
  return usesGpu(environment) ? Math.min(1, layersOfRatio(offloadRatio ?? 1, 100) / 100) : 0;
}

/** Whether sequences of a model may have a recurrent state or a windowed cache. */
function mayKeepState({ architecture }: FileSizeFacts): boolean {
  const { known, memory, window } = findArchitecture(architecture);
  return !known || window !== null || memory === 'recurrent' || memory === 'hybrid';
}

/** The usual parts of a model of this size, in bytes. */
export function usualParts({ sizeBytes }: FileSizeFacts, contextLengthTokens: number) {
  return {
    weightsBytes: sizeBytes,
    kvCacheBytes: usualKvCacheBytes(contextLengthTokens),
    computeBytes: Math.round(COMPUTE_SHARE * sizeBytes),
  };
}

/** The range of each part. The sums are the interval of `estimateFromFileSize`. */
export function usualIntervals(facts: FileSizeFacts, contextLengthTokens: number): PartIntervals {
  const { weightsBytes, computeBytes } = usualParts(facts, contextLengthTokens);
  const none = { lowBytes: 0, highBytes: 0 };
  const upTo = (bytes: number) => ({ lowBytes: 0, highBytes: bytes });
  return {
    weightsBytes: { lowBytes: weightsBytes, highBytes: weightsBytes },
    repackBytes: none,
    kvCacheBytes: upTo(mostUsualKvCacheBytes(contextLengthTokens)),
    recurrentStateBytes: none,
    computeBytes: upTo((1 + UPPER_FACTOR) * computeBytes),
    outputBytes: none,
    visionProjectorBytes: none,
    visionEncoderBytes: none,
    draftBytes: none,
    engineBytes: upTo(FIXED_BYTES),
  };
}

function spread(bytes: number, gpus: EstimateEnvironment['gpus']): Footprint['gpus'] {
  const each = Math.floor(bytes / gpus.length);
  return gpus.map(({ deviceKey }, i) => ({
    deviceKey,
    bytes: i === 0 ? bytes - each * (gpus.length - 1) : each,
  }));
}
