import type { Change } from '../api/api.generated.js';
import { LedgerBar, modelParts } from '../memory/ledger-bar.js';
import { formatBytes, formatChange } from '../words/format.js';

/** The effect of a change: in words, and for each pool before and after. */
export function ChangePreview({
  change: { summary, possible, loads, unloads, pools, warnings },
}: {
  readonly change: Change;
}) {
  return (
    <>
      <p class={`prose summary ${possible ? '' : 'bad'}`}>{summary}</p>
      {(loads.length > 0 || unloads.length > 0) && (
        <table class="effects">
          <caption class="spoken">What is loaded and unloaded</caption>
          <tbody>
            {unloads.map(({ instanceIdentifier, modelKey, freesBytes }) => (
              <tr key={instanceIdentifier}>
                <th scope="row">Unloads</th>
                <td class="key">{modelKey}</td>
                <td class="number">{freesBytes === null ? '–' : formatChange(-freesBytes)}</td>
              </tr>
            ))}
            {loads.map(({ modelKey, footprint }) => (
              <tr key={modelKey}>
                <th scope="row">Loads</th>
                <td class="key">{modelKey}</td>
                <td class="number">
                  {footprint === null ? '–' : formatChange(footprint.totalBytes)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {pools.map((pool) => (
        <div key={pool.pool} class="pool-change">
          <span>{pool.label}</span>
          <LedgerBar
            pool={pool}
            parts={modelParts(
              pool.othersBytes,
              pool.useAfterBytes - pool.othersBytes,
              pool.limitBytes,
            )}
          />
          <span class="number">{poolChange(pool, loads.length > 0)}</span>
          <span class="soft">
            {!pool.measured
              ? 'The use by other programs is not known.'
              : pool.headroomBytes >= 0
                ? `${formatBytes(pool.headroomBytes)} of ${formatBytes(pool.totalBytes)} stay free.`
                : `${formatBytes(-pool.headroomBytes)} are missing.`}
          </span>
        </div>
      ))}
      {warnings.map((warning) => (
        <p key={warning} class="bad">
          {warning}
        </p>
      ))}
    </>
  );
}

/** A load counts with the upper end of its estimate, so the pool may change by less than this. */
function poolChange(
  { useBeforeBytes, useAfterBytes }: Change['pools'][number],
  isLoad: boolean,
): string {
  const bytes = useAfterBytes - useBeforeBytes;
  return `${isLoad && bytes > 0 ? 'up to ' : ''}${formatChange(bytes)}`;
}
