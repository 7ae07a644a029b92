import type { Confidence, FootprintInterval } from '@mai/memory-ledger';
import type { GpuBackend } from '../settings/estimate-settings.js';

const MIB = 1024 * 1024;

/** Probability that a load lies within its interval. */
export const COVERAGE = 0.9;

/**
 * Relative change of a figure, up or down, with another engine version. ggml's packing and llama.cpp's
 * reservations change between releases.
 */
export const VERSION_DRIFT: Readonly<Record<Confidence, number>> = {
  high: 0.02,
  medium: 0.06,
  low: 0.2,
};

/** The engine's process without the model: code, thread pools, graph metadata. */
const ENGINE_BYTES = 192 * MIB;
/** Tokenizers take 100 to 250 bytes for each token. */
const TOKENIZER_BYTES_PER_TOKEN = 256;
/** A back end's context on a device, with its libraries. CUDA: 450 to 500 MiB (llama.cpp PR 15860). */
const DEVICE_BYTES: Readonly<Record<GpuBackend, number>> = {
  none: 0,
  cuda: 512 * MIB,
  vulkan: 256 * MIB,
  metal: 128 * MIB,
};
/** The largest share of repacked weights whose mapped original left the page cache after loading. */
const DROPPED_SHARE = 0.3;

/**
 * The largest share of the compute buffers that a short prompt leaves unused, and that is therefore not
 * resident. Buffers are reserved for a full context (`npm run resident` in bench/accuracy measures it).
 */
const UNTOUCHED_SHARE = 0.85;

/** The facts that an interval depends on. */
export interface IntervalFacts {
  readonly totalBytes: number;
  readonly repackBytes: number;
  /** Compute buffers in RAM. Those on GPUs are always resident. */
  readonly computeBytes: number;
  readonly vocabulary: number;
  readonly confidence: Confidence;
  readonly gpuBackend: GpuBackend;
  readonly gpuCount: number;
}

/**
 * The range of 90 % of the loads: the total, the drift of versions, and the memory that the engine's log
 * leaves out.
 */
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
