import type { Footprint, KvCacheType } from '@mai/memory-ledger';
import type { WorldMachine } from '../world/world-machine.js';
import type { WorldModel } from '../world/world-model.js';
import type { LoadSettings } from './load-settings.js';

/**
 * The bytes that models take of a machine's memory, with one entry for each GPU. The bytes of a GPU with
 * shared memory are also part of `ram`.
 */
export type MemoryUse = Pick<Footprint, 'ram' | 'gpus'>;

/** The bytes of a model with certain load settings, by part. */
export interface ModelBytes {
  /** The weights without the projector. */
  readonly weights: number;
  /** The weights of a vision model's projector; 0 where there is none. */
  readonly projector: number;
  readonly context: number;
  /** The engine's compute buffers. LM Studio's own estimate does not include them. */
  readonly compute: number;
  /** The part of the compute buffers that holds attention scores; 0 with flash attention. */
  readonly scores: number;
  /** The compute buffer of the projector's encoder; 0 where there is no projector. */
  readonly projectorCompute: number;
}

/** The buffers of a language model on one side: on the GPUs, or in RAM. */
export interface Buffers {
  readonly weights: number;
  readonly context: number;
  readonly compute: number;
}

/** How the parts of a load are distributed over RAM and GPUs. */
export interface Placement {
  readonly bytes: ModelBytes;
  readonly offloadRatio: number;
  readonly gpu: Buffers;
  readonly ram: Buffers;
  /** Whether the projector and its encoder's buffer are on a GPU. Otherwise they are in RAM. */
  readonly projectorOnGpu: boolean;
  /** The memory in use when a share (0 to 1) of the weights has been read. */
  useAt(progress: number): MemoryUse;
}

const MIB = 2 ** 20;
// Bytes of a CUDA context and its kernels on each GPU in use.
const GPU_CONTEXT_BYTES = 150 * MIB;
// Runtime 2.13.0 printed this size for Qwen3-VL-4B. Assumed: other encoders take the same.
const ENCODER_COMPUTE_BYTES = 322 * MIB;

// Bytes of one element: the bytes of a block with its scales, divided by the elements of a block. A block has 32
// elements, and 1 for f32, f16 and bf16. See ggml-common.h.
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
  const sequences = settings.parallelSequences;
  const { sliding, full } = layerBytesPerToken(model, settings);
  const windowTokens = settings.unifiedKvCache
    ? geometry.slidingWindowTokens * sequences + settings.physicalBatchTokens
    : (geometry.slidingWindowTokens + settings.physicalBatchTokens) * sequences;
  const slidingTokens =
    settings.slidingWindowCache === 'full'
      ? settings.contextLengthTokens
      : Math.min(settings.contextLengthTokens, windowTokens);
  const context =
    full * settings.contextLengthTokens +
    sliding * slidingTokens +
    geometry.recurrentStateBytes * sequences;
  const projector = Math.min(model.projectorBytes, sizeBytes);
  return {
    weights: sizeBytes - projector,
    projector,
    context: Math.round(context),
    compute: computeBytes(model, settings),
    scores: scoreBytes(model, settings),
    projectorCompute: projector > 0 ? ENCODER_COMPUTE_BYTES : 0,
  };
}

// The largest buffers of llama.cpp's graph: the logits, the activations of a batch and, without
// flash attention, the scores of each head for a batch and the whole context.
function computeBytes(model: WorldModel, settings: LoadSettings): number {
  const { geometry } = model;
  const batch = settings.physicalBatchTokens;
  const logitRows = settings.logitRows === 'batch' ? batch : settings.parallelSequences;
  return (
    4 * (logitRows * geometry.vocabularySize + batch * 8 * geometry.hiddenSize) +
    scoreBytes(model, settings)
  );
}

function scoreBytes({ geometry }: WorldModel, settings: LoadSettings): number {
  const { flashAttention, physicalBatchTokens, contextLengthTokens } = settings;
  return flashAttention
    ? 0
    : 4 * geometry.attentionHeads * physicalBatchTokens * contextLengthTokens;
}

/** The bytes that one token takes in the layers with and without a sliding window. */
function layerBytesPerToken(
  { geometry }: WorldModel,
  settings: LoadSettings,
): { readonly sliding: number; readonly full: number } {
  const perLayer =
    geometry.kvHeads *
    geometry.headDimension *
    (CACHE_ELEMENT_BYTES[settings.kvCacheTypeK] + CACHE_ELEMENT_BYTES[settings.kvCacheTypeV]);
  const slidingLayers = Math.min(geometry.slidingLayers, geometry.layers);
  return { sliding: slidingLayers * perLayer, full: (geometry.layers - slidingLayers) * perLayer };
}

/** The bytes of one sequence's state after some tokens, as the prompt cache stores it. */
export function sequenceStateBytes(
  model: WorldModel,
  settings: LoadSettings,
  tokens: number,
): number {
  const { full } = layerBytesPerToken(model, settings);
  return Math.round(full * tokens) + checkpointBytes(model, settings, tokens);
}

/** The bytes of a context checkpoint: one sequence's windowed and recurrent state after some tokens. */
export function checkpointBytes(model: WorldModel, settings: LoadSettings, tokens: number): number {
  const { sliding } = layerBytesPerToken(model, settings);
  const { slidingWindowTokens, recurrentStateBytes } = model.geometry;
  return Math.round(sliding * Math.min(tokens, slidingWindowTokens)) + recurrentStateBytes;
}

/**
 * Distributes a load over a machine. Without an offload ratio, the GPUs get as many layers as fit into
 * their free memory.
 *
 * A KV cache that is not offloaded is in RAM, whatever the layers' devices are (78,080 MiB in the log of lmstudio-bug-tracker #1454). The
 * CPU then computes the scores, too: tinyllama-1.1b with 4 sequences in 2,048 tokens has 142 MiB of compute buffers in RAM, and 45 MiB on
 * the GPU (llama.cpp with Vulkan, measured).
 *
 * @param contextAtLoad - whether the engine allocates the KV cache during the load. llama.cpp does. MLX allocates
 *   the KV cache while it processes tokens.
 */
export function place(
  machine: WorldMachine,
  bytes: ModelBytes,
  settings: LoadSettings,
  expertRatio: number,
  gpuFreeBytes: readonly number[],
  contextAtLoad = true,
): Placement {
  const expertsOnCpu = expertRatio * settings.cpuExpertRatio;
  const freeBytes = gpuFreeBytes.reduce((sum, free) => sum + Math.max(0, free), 0);
  const offloadable =
    bytes.weights * (1 - expertsOnCpu) + (settings.kvCacheOnGpu ? bytes.context : 0);
  const hasGpu = machine.gpus.length > 0;
  const projectorBytes = bytes.projector + bytes.projectorCompute;
  const gpuCompute = bytes.compute - (settings.kvCacheOnGpu ? 0 : bytes.scores);
  const fixed = gpuCompute + GPU_CONTEXT_BYTES + (hasGpu ? projectorBytes : 0);
  const fitting = offloadable > 0 ? Math.max(0, (freeBytes - fixed) / offloadable) : 0;
  const offloadRatio = hasGpu ? (settings.offloadRatio ?? Math.min(1, fitting)) : 0;

  const gpuWeights = bytes.weights * offloadRatio * (1 - expertsOnCpu);
  const gpuContext = settings.kvCacheOnGpu ? bytes.context * offloadRatio : 0;
  const gpu: Buffers = {
    weights: gpuWeights,
    context: gpuContext,
    compute: offloadRatio > 0 ? gpuCompute : 0,
  };
  const ram: Buffers = {
    weights: bytes.weights - gpuWeights,
    context: bytes.context - gpuContext,
    compute: bytes.compute - gpu.compute,
  };
  const usesGpu = offloadRatio > 0 || (hasGpu && bytes.projector > 0);
  const readOnGpu = gpu.weights + (hasGpu ? bytes.projector : 0);
  const readInRam = ram.weights + (hasGpu ? 0 : bytes.projector);
  const gpuRest =
    gpu.compute + (usesGpu ? GPU_CONTEXT_BYTES : 0) + (hasGpu ? bytes.projectorCompute : 0);
  const ramRest = ram.compute + (hasGpu ? 0 : bytes.projectorCompute);
  const mapped = settings.tryMmap && !settings.keepModelInMemory;
  const shares = sharesOf(machine, gpuFreeBytes);
  const atLoad = contextAtLoad ? 1 : 0;

  return {
    bytes,
    offloadRatio,
    gpu,
    ram,
    projectorOnGpu: hasGpu,
    useAt(progress) {
      const complete = progress >= 1;
      const weightsInRam = readInRam * progress;
      let anonymousBytes =
        (mapped ? 0 : weightsInRam) + (complete ? ram.context * atLoad + ramRest : 0);
      const onGpus = readOnGpu * progress + (complete ? gpu.context * atLoad + gpuRest : 0);
      const gpus = machine.gpus.map(({ deviceKey, memory }, index) => {
        const gpuBytes = Math.round(onGpus * (shares[index] ?? 0));
        if (memory === 'shared') anonymousBytes += gpuBytes;
        return { deviceKey, bytes: gpuBytes };
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
 * The first pool that is too small for a use; `null` where all pools are large enough. Mapped weights do not count,
 * because the system can drop their pages.
 */
export function overflowingPool(machine: WorldMachine, use: MemoryUse): 'ram' | 'vram' | null {
  const gpuFull = machine.gpus.some(
    (gpu, index) => (use.gpus[index]?.bytes ?? 0) + gpu.othersBytes > gpu.totalBytes,
  );
  if (gpuFull) return 'vram';
  return use.ram.anonymousBytes + machine.othersRamBytes > machine.ramBytes ? 'ram' : null;
}

// The GPUs share a load in proportion to their free memory. LM Studio sends its strategy `evenly` as
// `--tensor-split 0`, and llama.cpp then divides by free memory (lmstudio-bug-tracker #2190).
function sharesOf(machine: WorldMachine, gpuFreeBytes: readonly number[]): readonly number[] {
  const free = machine.gpus.map((_, index) => Math.max(0, gpuFreeBytes[index] ?? 0));
  const total = free.reduce((sum, bytes) => sum + bytes, 0);
  return total > 0 ? free.map((bytes) => bytes / total) : machine.gpus.map(() => 1);
}
