import type { WhatIf } from '../api/api.generated.js';
import { LedgerBar, modelParts } from '../memory/ledger-bar.js';
import { usePage } from '../shell/page-context.js';
import { formatBytes, formatPercent } from '../words/format.js';
import { footprintOf } from './footprint-parts.js';
import type { WhatIfSettings } from './settings.js';

/** The verdict, the parts of the footprint, and each pool before and after. */
export function WhatIfAnswer(props: {
  readonly answer: WhatIf;
  readonly settings: WhatIfSettings;
  readonly loaded: boolean;
}) {
  const { answer, settings, loaded } = props;
  const { ask, mayLoad } = usePage();
  const { modelKey, basis } = answer;
  const { parts, totalBytes, lowBytes, highBytes } = footprintOf(answer);
  // The bar ends where the longest context of the model ends, so that it moves with the slider.
  const scale = Math.max(totalBytes, ...answer.byContextLength.map((one) => one.totalBytes), 1);
  return (
    <div class="what-if-answer">
      <p class={`verdict ${answer.fits === false ? 'bad' : ''}`} role="status">
        {verdictOf(answer)}
      </p>
      <div class="footprint">
        <div class="parts-bar" aria-hidden="true">
          {parts.map(({ kind, bytes }) => (
            <div
              key={kind}
              class={`moves ${kind}`}
              style={{ width: `${(bytes / scale) * 100}%` }}
            />
          ))}
        </div>
        <table>
          <caption class="spoken">The memory of {modelKey} by part</caption>
          <tbody>
            {parts.map(({ name, kind, bytes }) => (
              <tr key={kind}>
                <th scope="row">
                  <span class={`swatch ${kind}`} aria-hidden="true" />
                  {name}
                </th>
                <td class="number">{formatBytes(bytes)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">
                Total{' '}
                {lowBytes !== null && highBytes !== null && lowBytes !== highBytes && (
                  <span class="soft">
                    {formatBytes(lowBytes)} to {formatBytes(highBytes)}
                  </span>
                )}
              </th>
              <td class="number">
                <strong>{formatBytes(totalBytes)}</strong>
              </td>
            </tr>
          </tfoot>
        </table>
      </div>
      {basis === 'size' && (
        <p class="soft">Only the size of this model is known, so its parts are not shown.</p>
      )}
      {answer.pools.map((pool) => (
        <div key={pool.pool} class="pool-after">
          <span>{pool.label}</span>
          <LedgerBar
            pool={pool}
            parts={modelParts(
              pool.othersBytes,
              pool.useAfterBytes - pool.othersBytes,
              pool.limitBytes,
            )}
          />
          <span class="number soft">
            {pool.measured
              ? `${formatPercent(pool.useBeforeBytes / pool.totalBytes)} → ${formatPercent(pool.useAfterBytes / pool.totalBytes)}`
              : 'use not measured'}
          </span>
        </div>
      ))}
      {answer.corrected !== null && (
        <p class="soft">
          {answer.corrected.source === 'measured' ? 'Measured' : 'Corrected by measured loads'} on
          this machine: {formatBytes(answer.corrected.totalBytes)}.
        </p>
      )}
      {answer.lmStudioBytes !== null && (
        <p class="soft">LM Studio's own estimate: {formatBytes(answer.lmStudioBytes)}.</p>
      )}
      {mayLoad && !loaded && (
        <button
          type="button"
          onClick={() =>
            ask({
              name: 'load',
              body: {
                model: modelKey,
                contextLengthTokens: answer.settings.contextLengthTokens,
                ...(settings.kvCacheType === null ? {} : { kvCacheType: settings.kvCacheType }),
                ...(settings.parallelSequences === null
                  ? {}
                  : { parallelSequences: settings.parallelSequences }),
              },
              title: `Load ${modelKey}`,
              verb: 'Load',
            })
          }
        >
          Load with these settings
        </button>
      )}
    </div>
  );
}

function verdictOf({ fits, rejection, cheaper, modelKey }: WhatIf): string {
  if (fits === null) return 'Whether it fits cannot be judged on this machine.';
  if (fits) return 'Fits.';
  const why = rejection === null ? 'does not fit' : rejection.text;
  const instead = cheaper === null ? '' : ` It fits with ${cheaper.tradeOffs}.`;
  return `Does not fit: ${modelKey} ${why}.${instead}`;
}
