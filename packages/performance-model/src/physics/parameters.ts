import type { Backend, Generation } from '../machine/machine-speed.js';

type GpuBackend = Exclude<Backend, 'cpu'>;

/** Constants of a back end. */
export interface BackendParameters {
  /** Share of the peak bandwidth that reading weights reaches. */
  readonly efficiency: number;
  /** Share of the peak bandwidth that reading the KV cache reaches. */
  readonly kvEfficiency: number;
  readonly layerMicroseconds: number;
  /** Time of experts in RAM, relative to reading their bytes. */
  readonly expertPenalty: number;
}

/** Constants of `decodeParts`. */
export interface DecodeParameters {
  readonly backends: Readonly<Record<GpuBackend, BackendParameters>>;
  /** Bandwidth that a generation reaches, relative to all others. */
  readonly generations: Readonly<Record<Generation, number>>;
  readonly bandwidthExponent: number;
  readonly ramEfficiency: number;
  readonly ramKvEfficiency: number;
  readonly ramLayerMicroseconds: number;
  readonly crossingMicroseconds: number;
  readonly fixedMicroseconds: number;
  /** Time of a mixture of experts, relative to a dense model of the same active bytes. */
  readonly mixture: number;
  /** Bits added to each parameter. */
  readonly surchargeBits: number;
}

/** Constants of `promptParts`. */
export interface PromptParameters {
  /** Share of the usable operations that a prompt reaches. */
  readonly backends: Readonly<Record<GpuBackend, number>>;
  readonly generations: Readonly<Record<Generation, number>>;
  readonly operationsExponent: number;
  /** Operations per second of a CPU for each byte per second of RAM. */
  readonly cpuOperationsPerByte: number;
  readonly mixture: number;
  readonly attention: number;
  readonly weightEfficiency: number;
  readonly layerMicroseconds: number;
  /** Bytes per second from RAM to the GPU. */
  readonly transferBandwidth: number;
}

/**
 * Standard deviations of what predictions of one machine have in common, in logarithms of time. Two predictions share
 * an entry where they are alike in the named respect.
 */
export interface Likeness {
  readonly machine: number;
  readonly backend: number;
  readonly placement: number;
  readonly model: number;
  readonly modelAndBackend: number;
  readonly part: number;
  readonly partOfModel: number;
  readonly quantization: number;
  readonly engine: number;
  /** What nothing explains. */
  readonly noise: number;
}
