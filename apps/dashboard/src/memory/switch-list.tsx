import type { SwitchMark } from '../api/api.generated.js';
import { sentence } from '../words/sentence.js';
import { formatDuration, formatMoment } from '../words/format.js';

/** The switches that the charts mark, with the numbers of the marks. */
export function SwitchList({
  switches,
  nowMs,
}: {
  readonly switches: readonly SwitchMark[];
  readonly nowMs: number;
}) {
  if (switches.length === 0) {
    return <p class="soft switch-list">No switch in the last 15 minutes.</p>;
  }
  return (
    <ol class="switch-list" aria-label="Switches in the last 15 minutes">
      {switches.map(({ atMs, tookMs, text, reason, loaded, unloaded }, index) => (
        <li key={atMs}>
          <span class="mark" aria-hidden="true">
            {index + 1}
          </span>
          <time dateTime={new Date(atMs).toISOString()}>{formatMoment(atMs, nowMs)}</time>
          <span>
            {sentence(text, [...loaded, ...unloaded])}{' '}
            <span class="soft">{formatDuration(tookMs)}</span> <code class="soft">{reason}</code>
          </span>
        </li>
      ))}
    </ol>
  );
}
