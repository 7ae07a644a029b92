import type { WorldMachine, WorldModel } from '../world/world.js';
import type { LoadSettings } from './load-settings.js';

/** Bytes that something takes of a machine's memory. */
export interface MemoryUse {
  /** System memory. */
  readonly ram: {
    /** Weights in the page cache, which the system can drop. */
    readonly mappedBytes: number;
    /** All the rest, locked weights included. */
    readonly anonymousBytes: number;
  };
  /** One for each card. The bytes of one with shared memory are in the RAM too. */
  readonly gpus: readonly { readonly deviceKey: string; readonly bytes: number }[];
}

/** The bytes of a model with a load configuration, by part. */
export interface ModelBytes {
  readonly weights: number;
  readonly context: number;
  /** Scratch space of the engine, which LM Studio's own estimate leaves out. */
  readonly compute: number;
}

/** How a load is laid out on a machine: where its parts go, and how much of each. */
export interface Placement {
  readonly bytes: ModelBytes;
  readonly offloadRatio: number;
  /** The parts of the weights and of the context that go to the GPUs. */
  readonly vram: { readonly weights: number; readonly context: number };
  /** What is in memory when a share (0 to 1) of the weights has been read. */
  useAt(progress: number): MemoryUse;
}

// What a CUDA context and its kernels take as soon as a card is used.
const GPU_CONTEXT_BYTES = 150 * 2 ** 20;

/** Weights, KV cache (attention layers, sliding windows, cache types) and compute buffers. */
export function modelBytes(
  model: WorldModel,
  sizeBytes: number,
  settings: LoadSettings,
): ModelBytes {
  const { geometry } = model;
  const perLayerToken =
    geometry.kvHeads * geometry.headDimension * (settings.bytesPerKey + settings.bytesPerValue);
  const windowTokens = Math.min(
    settings.contextLengthTokens,
    geometry.slidingWindowTokens * settings.parallelSequences + settings.physicalBatchTokens,
  );
  const slidingLayers = Math.min(geometry.slidingLayers, geometry.layers);
  const context =
    (geometry.layers - slidingLayers) * perLayerToken * settings.contextLengthTokens +
    slidingLayers * perLayerToken * windowTokens;
  // The largest buffers of llama.cpp's graph: logits of a batch, and its activations.
  const compute =
    4 * settings.physicalBatchTokens * (geometry.vocabularySize + 8 * geometry.hiddenSize);
  return { weights: sizeBytes, context: Math.round(context), compute };
}

/**
 * Lays a load out on a machine. Without an offload ratio as many layers go to the GPUs as their
 * capacity holds beside what is there already.
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

/** Adds up what several things take of one machine. */
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

/** The first pool that a use overflows, or null. Mapped weights never overflow: they are dropped instead. */
export function overflowingPool(machine: WorldMachine, use: MemoryUse): 'ram' | 'vram' | null {
  const gpuFull = machine.gpus.some(
    (gpu, index) => (use.gpus[index]?.bytes ?? 0) + gpu.othersBytes > gpu.totalBytes,
  );
  if (gpuFull) return 'vram';
  return use.ram.anonymousBytes + machine.othersRamBytes > machine.ramBytes ? 'ram' : null;
}

// LM Studio's default strategy is `evenly`; a card that is full already gets nothing.
function sharesOf(machine: WorldMachine, gpuFreeBytes: readonly number[]): readonly number[] {
  const free = machine.gpus.map((_, index) => Math.max(0, gpuFreeBytes[index] ?? 0));
  const total = free.reduce((sum, bytes) => sum + bytes, 0);
  return total > 0 ? free.map((bytes) => bytes / total) : machine.gpus.map(() => 1);
}
