import type { LoadConfig } from '../settings/load-config.js';
import { CPU_ENVIRONMENT, type EstimateEnvironment } from './environment.js';
import type { Footprint } from './footprint.js';
import { COVERAGE } from './interval.js';
import { layersOfRatio } from './offload.js';

const MIB = 1024 * 1024;

/**
 * What a load takes above its file, as a share of it and per token of context. Models of 1 to 30 GB keep
 * 30 to 150 KiB a token; a small share covers the compute buffers.
 */
const SHARE = 0.08;
const BYTES_PER_TOKEN = 96 * 1024;
const DEFAULT_CONTEXT = 4096;
const LARGEST_CONTEXT_COUNTED = 131_072;
/** How far the truth may lie above: long contexts of models with wide caches. */
const UPPER_FACTOR = 3;
const FIXED_BYTES = 256 * MIB;

/** A model of which no more than its size is known. */
export interface FileSizeFacts {
  /** Bytes of all files of the model. */
  readonly sizeBytes: number;
  /** `gguf`, `mlx`, ... in lower case. */
  readonly format: string;
}

/**
 * The last resort: an estimate from the file size alone, always with low confidence. MLX models (LM Studio
 * on Apple silicon) get nothing better for now; their weights are not mapped.
 */
export function estimateFromFileSize(
  facts: FileSizeFacts,
  loadConfig: LoadConfig,
  environment: EstimateEnvironment = CPU_ENVIRONMENT,
): Footprint {
  const { sizeBytes } = facts;
  const parts = usualParts(facts, loadConfig.contextLengthTokens ?? DEFAULT_CONTEXT);
  const extra = parts.kvCacheBytes + parts.computeBytes;
  const totalBytes = sizeBytes + extra;
  const { gpus } = environment;
  const hasGpu = gpus.length > 0 && environment.gpuBackend !== 'none';
  // Without layers to count, a hundred stand in for the share.
  const share = hasGpu ? Math.min(1, layersOfRatio(loadConfig.offloadRatio ?? 1, 100) / 100) : 0;
  const onGpu = Math.round(totalBytes * share);
  const mapped =
    facts.format === 'gguf' && environment.mapsWeights ? Math.round(sizeBytes * (1 - share)) : 0;
  return {
    ram: { mappedBytes: mapped, anonymousBytes: totalBytes - onGpu - mapped },
    gpus: hasGpu ? spread(onGpu, gpus) : [],
    interval: {
      coverage: COVERAGE,
      lowBytes: sizeBytes,
      highBytes: totalBytes + UPPER_FACTOR * extra + FIXED_BYTES,
    },
    source: 'file-size',
    confidence: 'low',
  };
}

/** What a model of some size usually takes, part by part. */
export function usualParts({ sizeBytes }: FileSizeFacts, contextLengthTokens: number) {
  return {
    weightsBytes: sizeBytes,
    kvCacheBytes: BYTES_PER_TOKEN * Math.min(contextLengthTokens, LARGEST_CONTEXT_COUNTED),
    computeBytes: Math.round(SHARE * sizeBytes),
  };
}

function spread(
  bytes: number,
  gpus: EstimateEnvironment['gpus'],
): { readonly deviceKey: string; readonly bytes: number }[] {
  const each = Math.floor(bytes / gpus.length);
  return gpus.map(({ deviceKey }, i) => ({
    deviceKey,
    bytes: i === 0 ? bytes - each * (gpus.length - 1) : each,
  }));
}
