import { decisionIdOf } from '@mai/autopilot';
import { asServed } from '../../selection/as-served.js';
import { explainEpisode } from './explain-episode.js';
import type { Episode } from '../../decisions/read-history.js';

/** A decision as an object for JSON, with its explanation. Of the input it has the resources only. */
export function episodeJson(episode: Episode): object {
  const { record, outcome, untilMs, lastSeenMs } = episode;
  const { version: recordVersion, selection, hysteresis, input, sequence, atMs } = record;
  const { headline, sentences } = explainEpisode(episode);
  return {
    id: decisionIdOf(record),
    recordVersion,
    sequence,
    atMs,
    untilMs,
    lastSeenMs,
    text: [headline, ...sentences.map(([label, text]) => `${label}: ${text}`)],
    selection: asServed(selection, input),
    verdict: hysteresis.verdict,
    timeToHardLimitMs: hysteresis.timeToHardLimitMs,
    resources: input.resources,
    outcome,
  };
}
