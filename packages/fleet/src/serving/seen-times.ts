import type { SeenTime } from '../placement/placement-input.js';
import type { PlacementAlternative } from '../placement/placement.js';

/** Weight of the newest answer in the mean, so that a model whose speed changes is known after some answers. */
const NEWEST_WEIGHT = 0.25;
/** Maximum number of models that are kept. The one that was seen least recently is forgotten. */
const KEPT_MAX = 1000;

/** How long answers of models took whose speed their hosts, this one included, do not tell. */
export interface SeenTimes {
  /** A whole answer of a resident came after `tookMs`, at a place with these figures. */
  note(alternative: PlacementAlternative, tookMs: number): void;
  list(): readonly SeenTime[];
}

export function createSeenTimes(): SeenTimes {
  const seen = new Map<string, SeenTime>();
  return {
    note: ({ host, modelKey, instanceIdentifier, figures }, tookMs) => {
      // Times that include a load are skipped.
      if (modelKey === null || instanceIdentifier === null || figures === null) return;
      if (!figures.assumed.some((one) => one.startsWith('speed'))) return;
      const key = `${host}/${modelKey}`;
      const before = seen.get(key);
      const expectedMs = figures.queueMs + figures.promptMs + figures.answerMs;
      // `expectedMs` already contains the ratio that was known when the place was chosen.
      const ratio = (tookMs / expectedMs) * figures.timeRatio;
      if (!Number.isFinite(ratio) || ratio <= 0) return;
      const weight = before === undefined ? 1 : NEWEST_WEIGHT;
      seen.delete(key);
      seen.set(key, {
        host,
        modelKey,
        timeRatio: (before?.timeRatio ?? 0) * (1 - weight) + ratio * weight,
        answers: (before?.answers ?? 0) + 1,
      });
      const [oldest] = seen.keys();
      if (seen.size > KEPT_MAX && oldest !== undefined) seen.delete(oldest);
    },
    list: () => [...seen.values()],
  };
}
