import type { Traits } from '../learning/likeness.js';
import type { DecodeParts } from '../physics/decode-parts.js';
import type { PromptParts } from '../physics/prompt-parts.js';
import { isQuantized, type SpeedSetting } from '../physics/question.js';

/** Names of the model, the file and the engine. A measurement corrects the predictions that share these names. */
export interface SpeedIdentity {
  /** The model without its quantization, e.g. `qwen3-4b`. */
  readonly model: string;
  readonly quantization: string;
  /** The engine and its version, e.g. `llama.cpp@b9849`. */
  readonly engine: string;
}

/** A question: a model on a machine, at a point of its context. */
export interface SpeedQuestion extends SpeedSetting {
  readonly identity: SpeedIdentity;
  /** Tokens in the context before the first generated token or before the prompt. */
  readonly depthTokens: number;
}

/** The predicted time of one token in seconds, and the traits that the error of the prediction depends on. */
export function traitsOf(
  { identity, shape, machine, placement }: SpeedQuestion,
  parts: DecodeParts | PromptParts,
): { readonly seconds: number; readonly traits: Traits } {
  const times = Object.values<number>({ ...parts });
  const seconds = times.reduce((sum, part) => sum + part, 0);
  const isOnGpu = machine.gpu !== null && placement.offloadRatio === 1;
  return {
    seconds,
    traits: {
      model: identity.model,
      engine: identity.engine,
      quantization: identity.quantization,
      weightBytes: shape.weightBytes,
      isQuantized: isQuantized(shape),
      backend: machine.gpu?.backend ?? 'cpu',
      placement: isOnGpu
        ? placement.cpuExpertRatio > 0
          ? 'experts in RAM'
          : 'on the GPU'
        : machine.gpu === null
          ? 'in RAM'
          : 'layers in RAM',
      ramShare:
        machine.gpu === null ? 1 : 1 - placement.offloadRatio * (1 - placement.cpuExpertRatio),
      logBatch: 'compute' in parts ? Math.log(placement.microBatchTokens) : 0,
      shares: times.map((part) => part / seconds),
    },
  };
}
