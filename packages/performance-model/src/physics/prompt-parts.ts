import type { ModelShape } from '@mai/memory-ledger';
import { USUAL_RAM_BANDWIDTH } from '../machine/machine-speed.js';
import { isQuantized, type SpeedSetting } from './question.js';
import { scalarSeconds } from './scalar.js';
import { PROMPT_PARAMETERS } from './parameters.generated.js';
import type { PromptParameters } from './parameters.js';

/** The time of one token of a prompt in seconds, by its cause. */
export interface PromptParts {
  readonly compute: number;
  readonly attention: number;
  /** Reading the weights on the GPU once for each micro-batch, and starting its layers. */
  readonly batches: number;
  /** Copying weights from RAM to the GPU once for each micro-batch. */
  readonly transfers: number;
}

const MICRO = 1e-6;
/** The most operations per second that a back end can use, for each byte per second of bandwidth. */
const USABLE_OPERATIONS = { cuda: 160, vulkan: 100, rocm: 100, metal: 120, mlx: 120 } as const;
/** 8 lanes of PCI Express 4.0. */
const USUAL_LINK_BANDWIDTH = 15.75e9;
const USUAL_OPERATIONS = 40e12;

/**
 * The mean time of one token of a prompt of `promptTokens` tokens after `depthTokens` tokens of context. It counts two
 * operations for each active parameter, four for each pair of tokens and query value, and one read of the weights for each
 * micro-batch. An expert multiplies few tokens at once, which costs as much as `expertTile` additional tokens.
 * The engine has separate code for weights that are not quantized, with a speed of its own. The constants were fitted
 * by `bench/speed/fit.mjs` to published results.
 */
export function promptParts(
  { shape, machine, placement }: SpeedSetting,
  promptTokens: number,
  depthTokens: number,
  parameters: PromptParameters = PROMPT_PARAMETERS,
): PromptParts {
  const p = parameters;
  const ramBandwidth = machine.ramBandwidth ?? USUAL_RAM_BANDWIDTH;
  const operations = 2 * shape.activeParameters;
  const pairs = depthTokens + promptTokens / 2;
  const attentionOperations =
    4 * pairs * (shape.queryValuesPerToken ?? usualQueryValues(shape)) * p.attention;
  if (machine.gpu === null) {
    const rate = p.cpuOperationsPerByte * ramBandwidth;
    const seconds = (count: number): number =>
      Math.max(count / rate, scalarSeconds('prompt', count / 2, machine));
    return {
      compute: seconds(operations),
      attention: seconds(attentionOperations),
      batches: 0,
      transfers: 0,
    };
  }
  const { backend, generation, memoryBandwidth, operationsPerSecond, linkBandwidth } = machine.gpu;
  const own = p.backends[backend];
  const usable = Math.min(
    operationsPerSecond ?? Infinity,
    USABLE_OPERATIONS[backend] * memoryBandwidth,
  );
  const rate =
    own.efficiency *
    (generation === null ? 1 : p.generations[generation]) *
    usable *
    (usable / USUAL_OPERATIONS) ** p.operationsExponent;
  const batchTokens = Math.min(placement.microBatchTokens, promptTokens);
  const shareOfExperts = shape.activeExpertBytes / Math.max(1, shape.expertBytes);
  // Each expert multiplies only the tokens that chose it.
  const tokensOfExpert = Math.max(1, batchTokens * shareOfExperts);
  const expertOperations =
    (operations * shape.activeExpertBytes) / Math.max(1, shape.activeWeightBytes);
  const padding = expertOperations * (own.expertPenalty + own.expertTile / tokensOfExpert);
  const unquantized = isQuantized(shape) ? 1 : own.unquantized;
  const oneByOne = isQuantized(shape) ? 0 : expertOperations * p.unquantizedExperts;
  const inRam = 1 - placement.offloadRatio;
  // The engine reads and copies only the experts that the micro-batch uses.
  const usedExperts = -Math.expm1(-batchTokens * p.evenness * shareOfExperts) * shape.expertBytes;
  const others = shape.weightBytes - shape.expertBytes;
  const expertsInRam = usedExperts * placement.cpuExpertRatio * (1 - inRam);
  const batches = Math.ceil(promptTokens / placement.microBatchTokens) / promptTokens;
  return {
    compute: (operations + padding + oneByOne) / (rate * unquantized),
    attention: (attentionOperations * own.attention) / rate,
    batches:
      (((others + usedExperts) * (1 - inRam) - expertsInRam) /
        (p.weightEfficiency * memoryBandwidth) +
        shape.layers * p.layerMicroseconds * MICRO) *
      batches,
    transfers:
      (((others + usedExperts) * inRam + expertsInRam) /
        (own.linkEfficiency * (linkBandwidth ?? USUAL_LINK_BANDWIDTH))) *
      batches,
  };
}

/**
 * Query values where the shape does not have them: for each layer, the geometric mean of two estimates. The first is the width of
 * a layer: the square root of a twelfth of its parameters, at least 1,024. The second is the bytes of its KV cache for one token,
 * which assumes four query heads for each key, and counts layers without attention as 0.
 */
function usualQueryValues({ activeParameters, layers, kvBytesPerToken }: ModelShape): number {
  const width = Math.max(1024, Math.sqrt(activeParameters / layers / 12));
  return layers * Math.sqrt(width * (kvBytesPerToken / layers));
}
