import type { HostModel } from '../state/host-state.js';
import type {
  AssumedFigures,
  PlacementInput,
  PlacementPolicy,
  SeenTime,
} from './placement-input.js';

/**
 * Milliseconds to read a prompt and to generate an answer at a speed of a model.
 *
 * `tokens / tokens per second`, with the speeds behind `SPEED_DEPTH_TOKENS` of context. Assumed where a
 * speed is not known or 0. Where no speed is known, `timeRatio` is a factor of both times.
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
  timeRatio = 1,
): ServiceTimes {
  const factor = speed === null ? timeRatio : 1;
  const prompt = speed?.promptTokensPerSecond.expected ?? 0;
  const decode = speed?.decodeTokensPerSecond.expected ?? 0;
  return {
    promptMs:
      (promptTokens / (prompt > 0 ? prompt : assumed.promptTokensPerSecond)) * 1000 * factor,
    answerMs:
      (answerTokens / (decode > 0 ? decode : assumed.decodeTokensPerSecond)) * 1000 * factor,
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

/** What was seen of a model at a host; null where nothing was. */
export function seenBy({
  seenTimes = [],
}: Pick<PlacementInput, 'seenTimes'>): (host: string, modelKey: string) => SeenTime | null {
  if (seenTimes.length === 0) return () => null;
  const byModel = new Map(seenTimes.map((one) => [`${one.host}/${one.modelKey}`, one]));
  return (host, modelKey) => byModel.get(`${host}/${modelKey}`) ?? null;
}
