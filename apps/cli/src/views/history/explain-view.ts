import {
  explainEpisode,
  formatDuration,
  formatAgo,
  formatMoment,
  padEnd,
  wrap,
  wrapBehind,
} from '@mai/host';
import type { Episode } from '@mai/host';
import type { Output } from '../../terminal/output.js';

const LABEL_WIDTH = 11;

/** Decisions of the log as text, oldest first. */
export function renderHistory(
  episodes: readonly Episode[],
  nowMs: number,
  { style, textWidth: width }: Output,
): string {
  return episodes
    .map((episode) => {
      const { record } = episode;
      const { headline, sentences } = explainEpisode(episode);
      const when = `${formatMoment(record.atMs, nowMs)}, ${formatAgo(record.atMs, nowMs)}`;
      const [first = '', ...rest] = wrap(`${when}: ${headline}.`, width);
      const labelled = [...sentences, ['In force', heldFor(episode, nowMs)] as const];
      return [
        style.heading(first),
        ...rest.map((line) => style.heading(line)),
        ...labelled.flatMap(([label, text], index) => {
          const shown = labelled[index - 1]?.[0] === label ? '' : label;
          return wrapBehind(`  ${style.dim(padEnd(shown, LABEL_WIDTH))}`, text, width);
        }),
      ]
        .map((line) => `${line.trimEnd()}\n`)
        .join('');
    })
    .join('\n');
}

function heldFor({ record, untilMs, lastSeenMs }: Episode, nowMs: number): string {
  if (untilMs === record.atMs) return 'until Mai ended, soon after.';
  if (untilMs !== null) {
    return `until ${formatMoment(untilMs, nowMs)} (${formatDuration(untilMs - record.atMs)}).`;
  }
  return lastSeenMs === record.atMs
    ? 'the last decision of the log.'
    : `at least until ${formatMoment(lastSeenMs, nowMs)} (${formatDuration(lastSeenMs - record.atMs)}), the end of the log.`;
}
