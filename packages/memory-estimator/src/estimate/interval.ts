import type { GpuBackend } from '../settings/estimate-settings.js';
import type { Confidence, FootprintInterval } from './footprint.js';

const MIB = 1024 * 1024;

export const COVERAGE = 0.9;

/**
 * By how much other engine versions and settings move a figure, each way. High: the same model under the
 * same settings, one release on (ggml's packing and llama.cpp's reservations change now and then).
 */
export const VERSION_DRIFT: Readonly<Record<Confidence, number>> = {
  high: 0.02,
  medium: 0.06,
  low: 0.2,
};

/** The engine's own process: code, tokenizer tables, thread pools, graph metadata. */
const ENGINE_BYTES = 192 * MIB;
/** Tokenizers take 100 to 250 bytes a token. */
const TOKENIZER_BYTES_PER_TOKEN = 256;
/** A device context with its libraries; CUDA's was measured at 450 to 500 MiB (llama.cpp PR 15860). */
const DEVICE_BYTES: Readonly<Record<GpuBackend, number>> = {
  none: 0,
  cuda: 512 * MIB,
  vulkan: 256 * MIB,
  metal: 128 * MIB,
};
/** Up to this share of repacked weights has been seen to drop out of the page cache after loading. */
const DROPPED_SHARE = 0.3;

/**
 * Compute buffers are reserved for a full context and a logit for every token; a short prompt leaves up to
 * this share untouched, and untouched memory is not resident (`npm run resident` in bench/accuracy).
 */
const UNTOUCHED_SHARE = 0.85;

/** What an interval is made from. */
export interface IntervalFacts {
  readonly totalBytes: number;
  readonly repackBytes: number;
  /** In RAM; a GPU's are taken whole. */
  readonly computeBytes: number;
  readonly vocabulary: number;
  readonly confidence: Confidence;
  readonly gpuBackend: GpuBackend;
  readonly gpuCount: number;
}

/** Where nine of ten loads end up: the sum, the drift of versions, and what no engine's log counts. */
export function estimateInterval(facts: IntervalFacts): FootprintInterval {
  const { totalBytes, confidence } = facts;
  const drift = VERSION_DRIFT[confidence] * totalBytes;
  const absent = DROPPED_SHARE * facts.repackBytes + UNTOUCHED_SHARE * facts.computeBytes;
  const overhead =
    ENGINE_BYTES +
    TOKENIZER_BYTES_PER_TOKEN * facts.vocabulary +
    facts.gpuCount * DEVICE_BYTES[facts.gpuBackend];
  return {
    coverage: COVERAGE,
    lowBytes: Math.max(0, Math.floor(totalBytes - drift - absent)),
    highBytes: Math.ceil(totalBytes + drift + overhead),
  };
}
