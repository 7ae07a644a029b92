import type { HostModel } from '../state/host-state.js';
import type { AssumedFigures, PlacementPolicy } from './placement-input.js';

/**
 * Milliseconds to read a prompt and to generate an answer at a speed of a model.
 *
 * `tokens / tokens per second`, with the speeds behind `SPEED_DEPTH_TOKENS` of context. Assumed where a
 * speed is not known or 0.
 */
export interface ServiceTimes {
  readonly promptMs: number;
  readonly answerMs: number;
}

export function serviceTimes(
  { speed }: Pick<HostModel, 'speed'>,
  promptTokens: number,
  answerTokens: number,
  assumed: AssumedFigures,
): ServiceTimes {
  const prompt = speed?.promptTokensPerSecond.expected ?? 0;
  const decode = speed?.decodeTokensPerSecond.expected ?? 0;
  return {
    promptMs: (promptTokens / (prompt > 0 ? prompt : assumed.promptTokensPerSecond)) * 1000,
    answerMs: (answerTokens / (decode > 0 ? decode : assumed.decodeTokensPerSecond)) * 1000,
  };
}

/**
 * Factor by which each of `together` requests takes longer than alone.
 *
 * `1 + ratio * (together - 1)`. Engines batch the requests of a model, so that two take less than twice the time of one.
 */
export function slowdown(together: number, { slowdownRatio }: PlacementPolicy): number {
  return 1 + slowdownRatio * (together - 1);
}

/**
 * Expected wait for one of `parallel` sequences of a resident that has `ahead` requests.
 *
 * 0 where a sequence is free. Else `ahead - parallel + 1` requests must end first. Sequences end at a rate of
 * `parallel` per service time, where service times have an exponential distribution (the queue M/M/c).
 */
export function queueMs(ahead: number, parallel: number, serviceMs: number): number {
  return ahead < parallel ? 0 : ((ahead - parallel + 1) / parallel) * serviceMs;
}

/**
 * Expected time of a load: as the host expects it, else `start + size / speed` with assumed figures, else an assumed
 * time.
 */
export function loadMs(
  { speed, sizeBytes }: Pick<HostModel, 'speed' | 'sizeBytes'>,
  assumed: AssumedFigures,
): number {
  if (speed?.loadMs != null) return speed.loadMs.expected;
  if (sizeBytes === null) return assumed.loadMs;
  return assumed.loadStartMs + (sizeBytes / assumed.loadBytesPerSecond) * 1000;
}
