import { USUAL_RAM_BANDWIDTH } from '../machine/machine-speed.js';
import { isMixture, type SpeedSetting } from './question.js';
import { PROMPT_PARAMETERS } from './parameters.generated.js';
import type { PromptParameters } from './parameters.js';

/** The time of one token of a prompt in seconds, by its cause. */
export interface PromptParts {
  readonly compute: number;
  readonly attention: number;
  /** Reading the weights on the GPU once a micro-batch, and starting its layers. */
  readonly batches: number;
  /** Bringing weights from RAM to the GPU once a micro-batch. */
  readonly transfers: number;
}

const MICRO = 1e-6;
/** Operations per second of one byte per second of bandwidth above which a back end can't use more. */
const USABLE_OPERATIONS = { cuda: 160, vulkan: 120, rocm: 120, metal: 120, mlx: 120 } as const;
const USUAL_OPERATIONS = 40e12;

/**
 * The mean time of one token of a prompt of `promptTokens` tokens after `depthTokens` tokens of context. Two operations
 * for each active parameter, four for each pair of tokens and value of attention, and the weights once a micro-batch.
 * The constants were fitted by `bench/speed/fit.mjs` to published results.
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
  const attentionOperations = 4 * pairs * attentionWidth(shape) * shape.layers * p.attention;
  if (machine.gpu === null) {
    const rate = p.cpuOperationsPerByte * ramBandwidth;
    return {
      compute: operations / rate,
      attention: attentionOperations / rate,
      batches: 0,
      transfers: 0,
    };
  }
  const { backend, generation, memoryBandwidth, operationsPerSecond } = machine.gpu;
  const usable = Math.min(
    operationsPerSecond ?? Infinity,
    USABLE_OPERATIONS[backend] * memoryBandwidth,
  );
  const rate =
    p.backends[backend] *
    (generation === null ? 1 : p.generations[generation]) *
    usable *
    (usable / USUAL_OPERATIONS) ** p.operationsExponent;
  const mixture = isMixture(shape) ? p.mixture : 1;
  const inRam = 1 - placement.offloadRatio;
  const expertsInRam = shape.expertBytes * placement.cpuExpertRatio * (1 - inRam);
  const batches = Math.ceil(promptTokens / placement.microBatchTokens) / promptTokens;
  return {
    compute: (operations / rate) * mixture,
    attention: attentionOperations / rate,
    batches:
      (((shape.weightBytes - expertsInRam) * (1 - inRam)) / (p.weightEfficiency * memoryBandwidth) +
        shape.layers * p.layerMicroseconds * MICRO) *
      batches,
    transfers: ((expertsInRam + shape.weightBytes * inRam) / p.transferBandwidth) * batches,
  };
}

/** Width of a layer, from twelve parameters for each square of the width; at least 1,024. */
function attentionWidth({
  activeParameters,
  layers,
}: {
  readonly activeParameters: number;
  readonly layers: number;
}): number {
  return Math.max(1024, Math.sqrt(activeParameters / layers / 12));
}
