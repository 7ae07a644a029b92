import type { Backend, Generation } from '../machine/machine-speed.js';

type GpuBackend = Exclude<Backend, 'cpu'>;

/** Constants of a back end. */
export interface BackendParameters {
  /** Share of the peak bandwidth that reading weights reaches. */
  readonly efficiency: number;
  /** Share of the peak bandwidth that reading the KV cache reaches. */
  readonly kvEfficiency: number;
  readonly layerMicroseconds: number;
  /** Bits added to each parameter, because unpacking takes about the same time for each quantization. */
  readonly surchargeBits: number;
  /** Time of experts in RAM, relative to reading their bytes. */
  readonly expertPenalty: number;
}

/** Constants of `decodeParts`. */
export interface DecodeParameters {
  readonly backends: Readonly<Record<GpuBackend, BackendParameters>>;
  /** Bandwidth that a generation of GPUs reaches, relative to all others. */
  readonly generations: Readonly<Record<Generation, number>>;
  readonly bandwidthExponent: number;
  readonly ramEfficiency: number;
  readonly ramKvEfficiency: number;
  readonly ramLayerMicroseconds: number;
  /** One way between GPU and CPU. */
  readonly crossingMicroseconds: number;
  /** Added to each token if GPU and CPU share the work, because the engine then starts each operation on the GPU separately. */
  readonly splitMicroseconds: number;
  readonly fixedMicroseconds: number;
  /** Time of a mixture of experts, relative to a dense model of the same active bytes. */
  readonly mixture: number;
  /**
   * Time of experts of 16 bits on Vulkan, relative to other weights of as many bytes. llama.cpp has code that multiplies one token by an
   * expert for F16 and quantized weights, but not for BF16, the usual type of 16 bits: it then computes a whole tile of tokens
   * (`ggml_vk_use_mul_mat_vec_id`).
   */
  readonly unquantizedVulkanExperts: number;
  /** `surchargeBits` of weights in RAM. */
  readonly ramSurchargeBits: number;
}

/** Constants of a back end for prompts. */
export interface PromptBackendParameters {
  /** Share of the usable operations that a prompt reaches. */
  readonly efficiency: number;
  /** Speed of weights that are not quantized, relative to quantized ones. */
  readonly unquantized: number;
  /** Time of attention, relative to other back ends. */
  readonly attention: number;
  /** Time that an operation of an expert takes in addition, relative to an operation of a dense model. */
  readonly expertPenalty: number;
  /** Tokens that a multiplication by an expert costs in addition to its own, because small multiplications fill a GPU badly. */
  readonly expertTile: number;
  /** Share of the link's peak bandwidth that copying weights from RAM to the GPU reaches. */
  readonly linkEfficiency: number;
}

/** Constants of `promptParts`. */
export interface PromptParameters {
  readonly backends: Readonly<Record<GpuBackend, PromptBackendParameters>>;
  readonly generations: Readonly<Record<Generation, number>>;
  readonly operationsExponent: number;
  /** Operations per second of a CPU for each byte per second of RAM. */
  readonly cpuOperationsPerByte: number;
  /** Time of an operation of attention, relative to an operation with weights. */
  readonly attention: number;
  /**
   * Time that an operation of an expert takes in addition where weights are not quantized. An engine multiplies by all quantized experts
   * at once. By other experts it multiplies one after the other, and waits for the GPU in each layer (llama.cpp, `ggml_cuda_mul_mat_id`).
   */
  readonly unquantizedExperts: number;
  readonly weightEfficiency: number;
  readonly layerMicroseconds: number;
  /**
   * How evenly tokens choose their experts; 1: at random. Tokens of one text often choose the same experts, so a micro-batch needs
   * fewer of them.
   */
  readonly evenness: number;
}

/**
 * Standard deviations of the parts of an error that predictions of one machine can have in common, in logarithms of time. Each
 * field names the property that two predictions must share to have this part in common.
 */
export interface Likeness {
  /** The same back end. */
  readonly machine: number;
  /** The same back end and placement, e.g. whole on the GPU. */
  readonly placement: number;
  /** The same model, on any back end. */
  readonly model: number;
  /** The same model, back end and placement. */
  readonly modelPlacement: number;
  /** For each part of the time: the same back end. Weighted by the shares that the part has in the times of both predictions. */
  readonly part: readonly number[];
  /** As `part`, for the same model. */
  readonly partOfModel: readonly number[];
  /** The same model and back end, where they have about the same share in RAM and compute as many tokens at once. */
  readonly split: number;
  /** The same file on the same back end. */
  readonly file: number;
  /** The same back end and engine. */
  readonly engine: number;
  /** The part of an error that two predictions never share. */
  readonly noise: number;
}
