import type { SpeedRange } from '@mai/memory-ledger';
import type { PromptParts } from '../physics/prompt-parts.js';
import type { SpeedModel } from './create-speed-model.js';
import type { SpeedQuestion } from './traits-of.js';

/** Milliseconds until the first token, with an interval that holds 90 % of requests. */
export interface FirstTokenPrediction extends SpeedRange {
  /** Milliseconds by cause, before the correction by measurements. */
  readonly parts: PromptParts;
}

/**
 * The time from the start of a prompt to the first token of its answer, on a model that is loaded and idle. The speed of
 * the prompt is the mean over its depths, from `question.depthTokens` on.
 *
 * @param question - `depthTokens`: tokens that are in the KV cache already
 * @param promptTokens - tokens that are not in the KV cache. At least one is computed.
 */
export function timeToFirstToken(
  model: SpeedModel,
  question: SpeedQuestion,
  promptTokens: number,
): FirstTokenPrediction {
  const tokens = Math.max(1, promptTokens);
  const { tokensPerSecond, low, high, parts } = model.prompt(question, tokens);
  const msAt = (speed: number): number => (tokens / speed) * 1000;
  const inMs = (secondsPerToken: number): number => tokens * secondsPerToken * 1000;
  return {
    expected: msAt(tokensPerSecond),
    low: msAt(high),
    high: msAt(low),
    parts: {
      compute: inMs(parts.compute),
      attention: inMs(parts.attention),
      batches: inMs(parts.batches),
      transfers: inMs(parts.transfers),
    },
  };
}
