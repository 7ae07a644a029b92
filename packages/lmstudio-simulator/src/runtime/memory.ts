import type { Footprint, KvCacheType } from '@mai/memory-ledger';
import type { WorldMachine, WorldModel } from '../world/world.js';
import type { LoadSettings } from './load-settings.js';

/**
 * The bytes that models take of a machine's memory, with one entry for each GPU. The bytes of a GPU with
 * shared memory are also part of `ram`.
 */
export type MemoryUse = Pick<Footprint, 'ram' | 'gpus'>;

/** The bytes of a model with certain load settings, by part. */
export interface ModelBytes {
  readonly weights: number;
  readonly context: number;
  /** The engine's compute buffers. LM Studio's own estimate does not include them. */
  readonly compute: number;
}

/** How the parts of a load are distributed over RAM and GPUs. */
export interface Placement {
  readonly bytes: ModelBytes;
  readonly offloadRatio: number;
  /** The bytes of the weights and of the context that are on the GPUs. */
  readonly vram: { readonly weights: number; readonly context: number };
  /** The memory in use when a share (0 to 1) of the weights has been read. */
  useAt(progress: number): MemoryUse;
}

// Bytes of a CUDA context and its kernels on each GPU in use.
const GPU_CONTEXT_BYTES = 150 * 2 ** 20;

// Bytes of one element: the bytes of a block with its scales, divided by its 32 elements (f32,
// f16, bf16: 1). See ggml-common.h.
const CACHE_ELEMENT_BYTES: Readonly<Record<KvCacheType, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8_0: 34 / 32,
  q5_1: 24 / 32,
  q5_0: 22 / 32,
  q4_1: 20 / 32,
  q4_0: 18 / 32,
  iq4_nl: 18 / 32,
};

/** The bytes of weights, KV cache (by layers, sliding windows and cache types) and compute buffers. */
export function modelBytes(
  model: WorldModel,
  sizeBytes: number,
  settings: LoadSettings,
): ModelBytes {
  const { geometry } = model;
  const perLayerToken =
    geometry.kvHeads *
    geometry.headDimension *
    (CACHE_ELEMENT_BYTES[settings.kvCacheTypeK] + CACHE_ELEMENT_BYTES[settings.kvCacheTypeV]);
  const windowTokens = Math.min(
    settings.contextLengthTokens,
    geometry.slidingWindowTokens * settings.parallelSequences + settings.physicalBatchTokens,
  );
  const slidingLayers = Math.min(geometry.slidingLayers, geometry.layers);
  const context =
    (geometry.layers - slidingLayers) * perLayerToken * settings.contextLengthTokens +
    slidingLayers * perLayerToken * windowTokens;
  // The largest buffers of llama.cpp's graph: the logits and the activations of a batch.
  const compute =
    4 * settings.physicalBatchTokens * (geometry.vocabularySize + 8 * geometry.hiddenSize);
  return { weights: sizeBytes, context: Math.round(context), compute };
}

/**
 * Distributes a load over a machine. Without an offload ratio, the GPUs get as many layers as fit into
 * their free memory.
 */
export function place(
  machine: WorldMachine,
  bytes: ModelBytes,
  settings: LoadSettings,
  expertRatio: number,
  gpuFreeBytes: readonly number[],
): Placement {
  const expertsOnCpu = expertRatio * settings.cpuExpertRatio;
  const freeBytes = gpuFreeBytes.reduce((sum, free) => sum + Math.max(0, free), 0);
  const offloadable =
    bytes.weights * (1 - expertsOnCpu) + (settings.kvCacheOnGpu ? bytes.context : 0);
  const overhead = bytes.compute + GPU_CONTEXT_BYTES;
  const fitting = offloadable > 0 ? Math.max(0, (freeBytes - overhead) / offloadable) : 0;
  const offloadRatio =
    machine.gpus.length === 0 ? 0 : (settings.offloadRatio ?? Math.min(1, fitting));

  const gpuWeights = bytes.weights * offloadRatio * (1 - expertsOnCpu);
  const gpuContext = settings.kvCacheOnGpu ? bytes.context * offloadRatio : 0;
  const gpuOverhead = offloadRatio > 0 ? overhead : 0;
  const ramWeights = bytes.weights - gpuWeights;
  const ramRest = bytes.context - gpuContext + (offloadRatio > 0 ? 0 : bytes.compute);
  const mapped = settings.tryMmap && !settings.keepModelInMemory;
  const shares = sharesOf(machine, gpuFreeBytes);

  return {
    bytes,
    offloadRatio,
    vram: { weights: Math.round(gpuWeights), context: Math.round(gpuContext) },
    useAt(progress) {
      const complete = progress >= 1;
      const weightsInRam = ramWeights * progress;
      let anonymousBytes = (mapped ? 0 : weightsInRam) + (complete ? ramRest : 0);
      const onGpus = gpuWeights * progress + (complete ? gpuContext + gpuOverhead : 0);
      const gpus = machine.gpus.map((gpu, index) => {
        const gpuBytes = Math.round(onGpus * (shares[index] ?? 0));
        if (gpu.memory === 'shared') anonymousBytes += gpuBytes;
        return { deviceKey: gpu.deviceKey, bytes: gpuBytes };
      });
      return {
        ram: {
          mappedBytes: mapped ? Math.round(weightsInRam) : 0,
          anonymousBytes: Math.round(anonymousBytes),
        },
        gpus,
      };
    },
  };
}

/** The sum of several uses of one machine's memory. */
export function addUses(machine: WorldMachine, uses: readonly MemoryUse[]): MemoryUse {
  const sum = (pick: (use: MemoryUse) => number): number =>
    uses.reduce((total, use) => total + pick(use), 0);
  return {
    ram: {
      mappedBytes: sum((use) => use.ram.mappedBytes),
      anonymousBytes: sum((use) => use.ram.anonymousBytes),
    },
    gpus: machine.gpus.map(({ deviceKey }, index) => ({
      deviceKey,
      bytes: sum((use) => use.gpus[index]?.bytes ?? 0),
    })),
  };
}

/**
 * The first pool that is too small for a use; `null` where all are large enough. Mapped weights do not
 * count, because the system can drop their pages.
 */
export function overflowingPool(machine: WorldMachine, use: MemoryUse): 'ram' | 'vram' | null {
  const gpuFull = machine.gpus.some(
    (gpu, index) => (use.gpus[index]?.bytes ?? 0) + gpu.othersBytes > gpu.totalBytes,
  );
  if (gpuFull) return 'vram';
  return use.ram.anonymousBytes + machine.othersRamBytes > machine.ramBytes ? 'ram' : null;
}

// The GPUs share a load in proportion to their free memory. (LM Studio's default strategy is `evenly`.)
function sharesOf(machine: WorldMachine, gpuFreeBytes: readonly number[]): readonly number[] {
  const free = machine.gpus.map((_, index) => Math.max(0, gpuFreeBytes[index] ?? 0));
  const total = free.reduce((sum, bytes) => sum + bytes, 0);
  return total > 0 ? free.map((bytes) => bytes / total) : machine.gpus.map(() => 1);
}
