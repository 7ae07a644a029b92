import { USUAL_RAM_BANDWIDTH } from '../machine/machine-speed.js';
import { isMixture, isQuantized, KV_TYPE_RATIO, type SpeedSetting } from './question.js';
import { scalarSeconds } from './scalar.js';
import { DECODE_PARAMETERS } from './parameters.generated.js';
import type { DecodeParameters } from './parameters.js';

/** The time of one generated token in seconds, by its cause. */
export interface DecodeParts {
  /** Reading weights on the GPU. */
  readonly gpuWeights: number;
  /** Reading weights in RAM. */
  readonly ramWeights: number;
  /** Reading the KV cache. */
  readonly kvCache: number;
  /** Starting the work of each layer. */
  readonly layers: number;
  /** Passing values between GPU and CPU. */
  readonly crossings: number;
  /** Sampling and everything else that each token costs. */
  readonly fixed: number;
}

/** Bandwidths of GPUs are compared with this one. */
const USUAL_GPU_BANDWIDTH = 400e9;
const MICRO = 1e-6;

/**
 * The time of one token after `depthTokens` tokens of context: `weights / (efficiency x bandwidth) + KV cache / (its
 * efficiency x bandwidth) + layers x their cost + crossings + fixed cost`. Weights count with a surcharge for each
 * parameter, because unpacking takes about the same time for each quantization. The constants were fitted by
 * `bench/speed/fit.mjs` to published results. Weights in RAM take at least the time that computing with them takes without vector
 * instructions.
 *
 * The processor reads a KV cache in RAM. Where the GPU computes the attention from a copy instead (flash attention in llama.cpp v0.5.0),
 * a token takes longer than this, because the link to the GPU is slower than RAM. No published result has such a cache.
 */
export function decodeParts(
  { shape, machine, placement }: SpeedSetting,
  depthTokens: number,
  parameters: DecodeParameters = DECODE_PARAMETERS,
): DecodeParts {
  const p = parameters;
  const ramBandwidth = machine.ramBandwidth ?? USUAL_RAM_BANDWIDTH;
  const inRam = machine.gpu === null ? 1 : 1 - placement.offloadRatio;
  const expertsInRam = placement.cpuExpertRatio * (1 - inRam);
  const parametersPerByte = shape.activeParameters / Math.max(1, shape.activeWeightBytes);
  const surcharge = (bits: number): number => 1 + (bits / 8) * parametersPerByte;
  const mixture = isMixture(shape) ? p.mixture : 1;
  const active = shape.activeWeightBytes;
  const expertBytes = shape.activeExpertBytes * expertsInRam;
  const kvBytes = shape.kvBytesPerToken * KV_TYPE_RATIO[placement.kvCacheType] * depthTokens;
  const ramRate = (p.ramEfficiency * ramBandwidth) / surcharge(p.ramSurchargeBits);
  const ramSeconds = (bytes: number): number =>
    Math.max(bytes / ramRate, scalarSeconds('decode', bytes * parametersPerByte, machine));
  const cacheInRam = placement.kvCacheInRam === true ? 1 : inRam;
  const kvInRam = (kvBytes * cacheInRam) / (p.ramKvEfficiency * ramBandwidth);
  const ramLayers = shape.layers * inRam * p.ramLayerMicroseconds * waitingOf(ramBandwidth) * MICRO;
  if (machine.gpu === null) {
    return {
      gpuWeights: 0,
      ramWeights: ramSeconds(active) * mixture,
      kvCache: kvInRam,
      layers: ramLayers,
      crossings: 0,
      fixed: 0,
    };
  }
  const { backend, generation, memoryBandwidth } = machine.gpu;
  const own = p.backends[backend];
  const rate =
    memoryBandwidth *
    (generation === null ? 1 : p.generations[generation]) *
    (memoryBandwidth / USUAL_GPU_BANDWIDTH) ** p.bandwidthExponent;
  const isSlow = backend === 'vulkan' && !isQuantized(shape);
  const expertsOnGpu = shape.activeExpertBytes * (1 - inRam) - expertBytes;
  const gpuBytes =
    active * (1 - inRam) -
    expertBytes +
    (isSlow ? (p.unquantizedVulkanExperts - 1) * expertsOnGpu : 0);
  // The queries and results of a layer on the GPU cross to its cache in RAM and back.
  const cachesAcross = shape.layers * (cacheInRam - inRam);
  const expertsAcross = expertsInRam > 0 ? shape.layers * expertsInRam : inRam > 0 ? 1 : 0;
  const crossingLayers = expertsAcross + cachesAcross;
  return {
    gpuWeights: (gpuBytes / (own.efficiency * rate)) * surcharge(own.surchargeBits) * mixture,
    ramWeights: ramSeconds(active * inRam) * mixture + ramSeconds(expertBytes) * own.expertPenalty,
    kvCache: (kvBytes * (1 - cacheInRam)) / (own.kvEfficiency * rate) + kvInRam,
    layers: shape.layers * (1 - inRam) * own.layerMicroseconds * MICRO + ramLayers,
    crossings:
      crossingLayers === 0
        ? 0
        : (crossingLayers * 2 * p.crossingMicroseconds + p.splitMicroseconds) * MICRO,
    fixed: p.fixedMicroseconds * MICRO,
  };
}

/**
 * How much longer a layer in RAM takes than on a desktop, besides reading its weights. The threads wait for one another, and processors with
 * more channels of RAM have more threads. An EPYC 9374F with 12 channels read weights at 211 GB/s in a model of one billion parameters, 252
 * in one of 3, 284 in one of 8 and 329 in one of 70, all in Q8_0 (reddit.com/r/LocalLLaMA, post 1ghvwsj): about 100 microseconds for each layer.
 */
function waitingOf(ramBandwidth: number): number {
  return Math.sqrt(Math.max(1, ramBandwidth / USUAL_RAM_BANDWIDTH));
}
