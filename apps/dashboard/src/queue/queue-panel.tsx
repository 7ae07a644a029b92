import { Panel } from '../shell/panel.js';
import type { PageState } from '../state/page-state.js';
import { formatCount, formatDuration, formatPercent, plural } from '../words/format.js';

/** The requests that run and wait, and the throughput of the last minute. */
export function QueuePanel({ state: { queue, faults } }: { readonly state: PageState }) {
  return (
    <Panel id="queue" title="Queue and throughput" aside="Last minute" fault={faults.queue}>
      {queue !== null && (
        <>
          <dl class="queue-figures">
            <Figure
              name="Running"
              value={formatCount(queue.lanes.reduce((sum, { running }) => sum + running, 0))}
            />
            <Figure
              name="Waiting"
              value={formatCount(queue.waiting)}
              note={queue.waiting > 0 ? `longest ${formatDuration(queue.oldestWaitMs)}` : ''}
            />
            <Figure
              name="Requests"
              value={formatCount(queue.lastMinute.requests)}
              note={
                queue.lastMinute.failures > 0
                  ? `${formatCount(queue.lastMinute.failures)} failed`
                  : ''
              }
            />
            <Figure
              name="First byte"
              value={
                queue.lastMinute.medianFirstByteMs === null
                  ? '–'
                  : formatDuration(queue.lastMinute.medianFirstByteMs)
              }
              note="median"
            />
            <Figure
              name="Prompt"
              value={perSecond(queue.lastMinute.promptTokens)}
              note="tokens a second"
            />
            <Figure
              name="Output"
              value={perSecond(queue.lastMinute.outputTokens)}
              note="tokens a second"
            />
          </dl>
          {queue.loading !== null && (
            <p class="loading">
              <label>
                Loading <code>{queue.loading.modelKey}</code>{' '}
                <progress value={queue.loading.progressRatio} />{' '}
                {formatPercent(queue.loading.progressRatio)}
              </label>
            </p>
          )}
          {queue.lanes.length === 0 ? (
            <p class="soft">
              No model is in use. Point a client at{' '}
              <code>{new URL('v1', document.baseURI).href}</code> and ask for <code>auto</code>.
            </p>
          ) : (
            <ul class="lanes" aria-label="Models in use">
              {queue.lanes.map(({ instanceIdentifier, modelKey, running, draining }) => (
                <li key={instanceIdentifier}>
                  <span class="key">{modelKey}</span>
                  <span class="number soft">
                    {plural(running, 'request')}
                    {draining && ', takes no more'}
                  </span>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </Panel>
  );
}

/** @param tokens - of the last minute; null: no answer counted them */
function perSecond(tokens: number | null): string {
  return tokens === null ? '–' : formatCount(tokens / 60);
}

function Figure(props: { readonly name: string; readonly value: string; readonly note?: string }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>
        <strong>{props.value}</strong>
        <span class="soft">{props.note}</span>
      </dd>
    </div>
  );
}
