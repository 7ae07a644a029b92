import type { Footprint, ModelSpeed, PoolChange } from '../api/api.generated.js';
import { chargeOf } from '../memory/charge-of.js';
import { LedgerBar, modelParts } from '../memory/ledger-bar.js';
import { usePage } from '../shell/page-context.js';
import { formatBytes, formatTokens } from '../words/format.js';
import { Figures } from '../words/figures.js';
import { speedFigures } from '../words/speed.js';

/** The facts of a model that a row shows. */
export interface RowModel {
  readonly modelKey: string;
  readonly displayName: string;
  readonly tier: string;
  readonly capabilities: readonly string[];
  readonly downloaded: boolean;
  readonly loaded: boolean;
  readonly loadConfig: { readonly contextLengthTokens: number | null } | null;
  readonly footprint: Footprint | null;
  readonly speed: ModelSpeed | null;
  readonly quality: number | null;
}

/** One model: what it would take of each pool, beside what others use, and the verdict in words. */
export function ModelRow(props: {
  /** Place in the chain; null outside of it. */
  readonly rank: number | null;
  readonly model: RowModel & { readonly tradeOffs: string | null };
  readonly verdict: string;
  readonly state: 'chosen' | 'fits' | 'rejected' | 'absent';
  readonly pools: readonly PoolChange[];
}) {
  const { rank, model, verdict, state, pools } = props;
  const { ask, mayLoad } = usePage();
  const { modelKey, footprint } = model;
  const figures = speedFigures(model);
  return (
    <li class={`model-row ${state}`} aria-current={state === 'chosen' ? 'true' : undefined}>
      <span class="rank">{rank}</span>
      <div class="who">
        <h3 class="key">{modelKey}</h3>
        <p class="soft">
          {[
            model.tier,
            ...(model.loadConfig?.contextLengthTokens == null
              ? []
              : [`${formatTokens(model.loadConfig.contextLengthTokens)} context`]),
            ...model.capabilities.filter((one) => one !== 'chat'),
          ].join(', ')}
        </p>
        {figures.length > 0 && (
          <p class="soft figures">
            <Figures items={figures} />
          </p>
        )}
        <p class="verdict">{verdict}</p>
      </div>
      <div class="takes">
        {footprint === null ? (
          <p class="soft">Its memory is not known.</p>
        ) : (
          pools
            .map((pool) => ({ pool, bytes: chargeOf(footprint, pool.pool, pools) }))
            .filter(({ bytes, pool }) => bytes > 0 || pool.pool === 'ram')
            .map(({ pool, bytes }) => (
              <div key={pool.pool} class="take">
                <span class="soft">{pool.label}</span>
                <LedgerBar
                  pool={pool}
                  parts={modelParts(pool.othersBytes, bytes, pool.limitBytes)}
                />
                <span class="number">{formatBytes(bytes)}</span>
              </div>
            ))
        )}
      </div>
      <div class="act">
        {mayLoad && model.downloaded && !model.loaded && (
          <button
            type="button"
            aria-label={`Load ${modelKey}`}
            onClick={() =>
              ask({
                name: 'load',
                body: { model: modelKey },
                title: `Load ${modelKey}`,
                verb: 'Load',
              })
            }
          >
            Load
          </button>
        )}
      </div>
    </li>
  );
}
