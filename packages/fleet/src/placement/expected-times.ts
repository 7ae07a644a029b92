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

/** A host from which no answer was seen counts as a little faster than the others, so that it is tried. */
const UNSEEN_RATIO = 0.9;

/** The times of earlier answers of a model whose speed a host does not tell. */
export interface SeenRatio extends Pick<SeenTime, 'timeRatio'> {
  /** Whether the answers came from other hosts, because none has come from this one. */
  readonly elsewhere: boolean;
}

/**
 * What was seen of a model at a host, else 90 % of the mean of what was seen of it at others; null where nothing was seen.
 *
 * Short answers take less time than the assumed ones at each host. So once an answer of some host was seen, the assumed times are
 * no longer used for the other hosts.
 */
export function seenBy({
  seenTimes = [],
}: Pick<PlacementInput, 'seenTimes'>): (host: string, modelKey: string) => SeenRatio | null {
  if (seenTimes.length === 0) return () => null;
  const seen = new Map<string, SeenRatio>();
  const ofModel = new Map<string, { readonly sum: number; readonly hosts: number }>();
  for (const { host, modelKey, timeRatio } of seenTimes) {
    seen.set(`${host}/${modelKey}`, { timeRatio, elsewhere: false });
    const { sum = 0, hosts = 0 } = ofModel.get(modelKey) ?? {};
    ofModel.set(modelKey, { sum: sum + timeRatio, hosts: hosts + 1 });
  }
  return (host, modelKey) => {
    const here = seen.get(`${host}/${modelKey}`);
    if (here !== undefined) return here;
    const all = ofModel.get(modelKey);
    if (all === undefined) return null;
    return { timeRatio: (all.sum / all.hosts) * UNSEEN_RATIO, elsewhere: true };
  };
}
