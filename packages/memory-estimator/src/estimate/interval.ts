import type { Confidence, FootprintInterval } from '@mai/memory-ledger';
import type { GpuBackend } from '../settings/estimate-settings.js';
import type { SettledMemory } from '../memory/load-memory.js';
import { sumParts, type MemoryParts } from '../memory/memory-parts.js';
import type { ByteRange } from './footprint-estimate.js';

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
/**
 * The embedded engine's process before the load, and Node's heap while it serves. `bench:embedded` measures the memory of a
 * load without the process, which takes 16.6 MiB of anonymous memory on Linux x64 (Node 20); the rest is for the heap.
 */
const PROCESS_BYTES = 32 * MIB;
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
 * The largest share of the compute buffers that a short prompt leaves unused, and that is therefore not resident.
 * Buffers are reserved for a full context (`npm run resident` in bench/accuracy measures this share).
 */
const UNTOUCHED_SHARE = 0.85;

/**
 * Relative change of compute buffers, down and up, with an engine version that was not compared. Metal reorders
 * nodes, and a buffer of August 2025 (gpt-oss-120b on runtime 1.44.0) is 46 % larger than the estimate.
 */
const UNCOMPARED_DRIFT: Readonly<
  Record<GpuBackend, { readonly down: number; readonly up: number }>
> = {
  none: { down: 0.1, up: 0.1 },
  cuda: { down: 0.1, up: 0.1 },
  vulkan: { down: 0.1, up: 0.1 },
  metal: { down: 0.1, up: 0.5 },
};
/** Relative change, down and up, of the buffers of a draft context and of the encoder of pictures. */
const UNCOMPARED_EXTRA = 0.25;

/** Relative change, down and up, of the engine's own memory in the loads that `bench:embedded` measures. */
const ENGINE_DRIFT = { down: 0.7, up: 0.5 };

/** The facts that an interval depends on, besides the memory. */
export interface IntervalFacts {
  readonly vocabulary: number;
  readonly confidence: Confidence;
  readonly gpuBackend: GpuBackend;
  /** Whether the compute buffers of the engine's version were compared with the estimate. */
  readonly isCompared: boolean;
}

/**
 * The range of 90 % of the loads: the total, the drift of versions, and the memory that the engine's log leaves
 * out. The range covers all possible values of unknown settings.
 *
 * @param memories The memory of the load with the smallest and with the largest values of unknown settings.
 */
export function totalInterval(
  memories: readonly SettledMemory[],
  facts: IntervalFacts,
): FootprintInterval {
  const ranges = memories.map((memory) => rangeOf(memory, facts));
  return {
    coverage: COVERAGE,
    lowBytes: Math.min(...ranges.map(({ lowBytes }) => lowBytes)),
    highBytes: Math.max(...ranges.map(({ highBytes }) => highBytes)),
  };
}

function rangeOf({ ram, gpus, uncomparedBytes }: SettledMemory, facts: IntervalFacts): ByteRange {
  const totalBytes = gpus.reduce((sum, gpu) => sum + sumParts(gpu), sumParts(ram));
  const computeBytes = gpus.reduce((sum, gpu) => sum + gpu.computeBytes, ram.computeBytes);
  const drift = VERSION_DRIFT[facts.confidence] * totalBytes;
  const extra = UNCOMPARED_EXTRA * uncomparedBytes;
  const compute = facts.isCompared
    ? { down: 0, up: 0 }
    : {
        down: UNCOMPARED_DRIFT[facts.gpuBackend].down * computeBytes,
        up: UNCOMPARED_DRIFT[facts.gpuBackend].up * computeBytes,
      };
  const absent =
    DROPPED_SHARE * ram.repackBytes + UNTOUCHED_SHARE * ram.computeBytes + ram.engineBytes;
  // The total contains a part for the engine's own memory only if that was measured.
  const outside =
    ram.engineBytes > 0
      ? PROCESS_BYTES + ENGINE_DRIFT.up * ram.engineBytes
      : ENGINE_BYTES + TOKENIZER_BYTES_PER_TOKEN * facts.vocabulary;
  const overhead = outside + gpus.length * DEVICE_BYTES[facts.gpuBackend];
  return {
    lowBytes: Math.max(0, Math.floor(totalBytes - drift - compute.down - extra - absent)),
    highBytes: Math.ceil(totalBytes + drift + compute.up + extra + overhead),
  };
}

/**
 * The range of a part that is not exact.
 *
 * @param bytes The part with the smallest and with the largest values of unknown settings.
 */
export function partInterval(
  part: keyof MemoryParts,
  bytes: readonly number[],
  { gpuBackend, confidence }: IntervalFacts,
): ByteRange {
  const [low, high] = [Math.min(...bytes), Math.max(...bytes)];
  const drift =
    part === 'computeBytes'
      ? UNCOMPARED_DRIFT[gpuBackend]
      : part === 'draftBytes' || part === 'visionEncoderBytes'
        ? { down: UNCOMPARED_EXTRA, up: UNCOMPARED_EXTRA }
        : part === 'engineBytes'
          ? ENGINE_DRIFT
          : { down: 0, up: 0 };
  // With low confidence, not even the sizes of caches are certain.
  const doubt = confidence === 'low' ? VERSION_DRIFT.low : 0;
  return {
    lowBytes: Math.floor(low * (1 - Math.max(drift.down, doubt))),
    highBytes: Math.ceil(high * (1 + Math.max(drift.up, doubt))),
  };
}
