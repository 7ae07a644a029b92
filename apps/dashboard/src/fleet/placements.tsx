import type { Placement } from '../api/api.generated.js';
import { Panel } from '../shell/panel.js';
import { formatMoment } from '../words/format.js';

/** Where the last requests went, and why, newest first. */
export function Placements({
  placements,
  nowMs,
}: {
  readonly placements: readonly Placement[];
  readonly nowMs: number;
}) {
  return (
    <Panel id="placements" title="Where requests went" aside="This gateway, newest first">
      {placements.length === 0 ? (
        <p class="soft">
          No request was placed yet. Each one that this gateway gets is listed here with the reasons
          for its host.
        </p>
      ) : (
        <ol class="placement-list" aria-label="Placed requests, newest first">
          {placements.map((one) => (
            <Placed key={one.id} placement={one} nowMs={nowMs} />
          ))}
        </ol>
      )}
    </Panel>
  );
}

function Placed({
  placement: { id, atMs, host, modelKey, sentences },
  nowMs,
}: {
  readonly placement: Placement;
  readonly nowMs: number;
}) {
  return (
    <li>
      <details>
        <summary>
          <time dateTime={new Date(atMs).toISOString()}>{formatMoment(atMs, nowMs)}</time>
          {host === null ? (
            <span class="bad">No host served it</span>
          ) : (
            <span>
              <strong>{host}</strong>
              {modelKey !== null && (
                <>
                  {' with '}
                  <span class="key">{modelKey}</span>
                </>
              )}
            </span>
          )}
        </summary>
        <div class="explained">
          {sentences.map(({ text, items }, index) => (
            <div key={index}>
              <p>{text}</p>
              {items.length > 0 && (
                <ul>
                  {items.map((item) => (
                    <li key={item}>{item}</li>
                  ))}
                </ul>
              )}
            </div>
          ))}
          <p class="soft">
            <code>mai fleet explain {id}</code>
          </p>
        </div>
      </details>
    </li>
  );
}
