import type { Footprint, LoadConfig } from '@mai/memory-ledger';
import { layersOfRatio } from '../parts/offload.js';
import { resolveSettings } from '../profile/choose-settings.js';
import { NO_SETTINGS } from '../settings/estimate-settings.js';
import { CPU_ENVIRONMENT, usesGpu, type EstimateEnvironment } from './environment.js';
import type { PartIntervals } from './footprint-estimate.js';
import { COVERAGE } from './interval.js';

const MIB = 1024 * 1024;

/** KV cache: models of 1 to 30 GB keep 30 to 150 KiB for each token. */
const BYTES_PER_TOKEN = 96 * 1024;
/** Compute buffers relative to the size of the file. */
const COMPUTE_SHARE = 0.08;
const LARGEST_CONTEXT_COUNTED = 131_072;
/** Upper end of the interval, because models with wide caches take several times the usual KV cache. */
const UPPER_FACTOR = 3;
const FIXED_BYTES = 256 * MIB;

/** The known facts about a model without a readable header. */
export interface FileSizeFacts {
  /** Bytes of all files of the model. */
  readonly sizeBytes: number;
  /** `gguf`, `mlx`, ... in lower case. */
  readonly format: string;
}

/**
 * Estimates a load from the size of the model's files, with low confidence: for MLX models (LM Studio on
 * Apple silicon) and for files that cannot be read. Weights that are not GGUF count as anonymous.
 *
 * @param loadConfig Only the context length (default: the profile's) and the offload ratio matter.
 * @param environment Default: a machine without a GPU.
 */
export function estimateFromFileSize(
  facts: FileSizeFacts,
  loadConfig: LoadConfig,
  environment: EstimateEnvironment = CPU_ENVIRONMENT,
): Footprint {
  const { sizeBytes } = facts;
  const { contextLengthTokens } = resolveSettings(
    { ...NO_SETTINGS, contextLengthTokens: loadConfig.contextLengthTokens },
    environment.profile,
  );
  const parts = usualParts(facts, contextLengthTokens);
  const extra = parts.kvCacheBytes + parts.computeBytes;
  const totalBytes = sizeBytes + extra;
  const { gpus } = environment;
  const hasGpu = usesGpu(environment);
  // The number of layers is unknown, so the ratio is applied to 100 layers.
  const share = hasGpu ? Math.min(1, layersOfRatio(loadConfig.offloadRatio ?? 1, 100) / 100) : 0;
  const onGpu = Math.round(totalBytes * share);
  const { mapsWeights, profile } = environment;
  const isMapped = facts.format === 'gguf' && mapsWeights && !profile.settings.locksWeights.value;
  const mapped = isMapped ? Math.round(sizeBytes * (1 - share)) : 0;
  return {
    ram: { mappedBytes: mapped, anonymousBytes: totalBytes - onGpu - mapped },
    gpus: hasGpu ? spread(onGpu, gpus) : [],
    interval: {
      coverage: COVERAGE,
      lowBytes: sizeBytes,
      highBytes: totalBytes + UPPER_FACTOR * extra + FIXED_BYTES,
    },
    growth: null,
    source: 'file-size',
    confidence: 'low',
  };
}

/** The usual parts of a model of this size, in bytes. */
export function usualParts({ sizeBytes }: FileSizeFacts, contextLengthTokens: number) {
  return {
    weightsBytes: sizeBytes,
    kvCacheBytes: BYTES_PER_TOKEN * Math.min(contextLengthTokens, LARGEST_CONTEXT_COUNTED),
    computeBytes: Math.round(COMPUTE_SHARE * sizeBytes),
  };
}

/** The range of each part. The sums are the interval of `estimateFromFileSize`. */
export function usualIntervals(facts: FileSizeFacts, contextLengthTokens: number): PartIntervals {
  const { weightsBytes, kvCacheBytes, computeBytes } = usualParts(facts, contextLengthTokens);
  const none = { lowBytes: 0, highBytes: 0 };
  const upTo = (bytes: number) => ({ lowBytes: 0, highBytes: bytes });
  return {
    weightsBytes: { lowBytes: weightsBytes, highBytes: weightsBytes },
    repackBytes: none,
    kvCacheBytes: upTo((1 + UPPER_FACTOR) * kvCacheBytes),
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
