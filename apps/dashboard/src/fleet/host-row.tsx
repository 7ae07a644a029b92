import type { FleetHost } from '../api/api.generated.js';
import { LedgerBar } from '../memory/ledger-bar.js';
import { formatBytes, formatPercent, formatTokens, plural } from '../words/format.js';
import { Figures } from '../words/figures.js';
import { speedFigures } from '../words/speed.js';
import { describeCondition, describeHeard } from './condition.js';

/** Models that fit, which are shown before the rest is folded. */
const FITS_SHOWN = 3;
/** Draws a share of the limit: the whole bar is the limit. */
const WHOLE = { totalBytes: 1, limitBytes: 1, hardLimitBytes: 1, measured: true };
const RUNTIMES: Readonly<Record<string, string>> = {
  lmstudio: 'LM Studio',
  embedded: 'embedded engine',
};

/** One host: its condition, its load and memory, the loaded models, and the models that fit. */
export function HostRow({
  host,
  elapsedMs,
}: {
  readonly host: FleetHost;
  readonly elapsedMs: number;
}) {
  const { condition, labels, versions } = host;
  const heard = describeHeard(host, elapsedMs);
  return (
    <li class={`host ${condition}`}>
      <div class="who">
        <h3 class="key">{host.host}</h3>
        <p>
          <span class={condition === 'ready' ? 'state on' : 'state'}>
            {describeCondition(host, elapsedMs)}
          </span>
        </p>
        {heard !== null && <p class="soft">{heard}</p>}
        <p class="soft">{describeVersions(versions)}</p>
        {labels.length > 0 && (
          <p class="soft">{labels.map(({ name, value }) => `${name}: ${value}`).join(', ')}</p>
        )}
      </div>
      <Use host={host} />
      <Models host={host} />
    </li>
  );
}

function describeVersions({ mai, runtime, runtimeVersion }: FleetHost['versions']): string {
  const name = runtime === null ? 'no runtime' : (RUNTIMES[runtime] ?? runtime);
  return [
    ...(mai === null ? [] : [`Mai ${mai}`]),
    runtimeVersion === null ? name : `${name} ${runtimeVersion}`,
  ].join(', ');
}

function Use({ host: { kind, load, pools, guestRatio } }: { readonly host: FleetHost }) {
  const pressure = load?.pressureRatio ?? null;
  return (
    <div class="use">
      <p>
        {load === null
          ? 'Its load is not known.'
          : load.running + load.waiting === 0
            ? 'Idle'
            : `${plural(load.running, 'request')} running, ${load.waiting} waiting`}
      </p>
      {pressure !== null && (
        <div class="pressure">
          <LedgerBar pool={WHOLE} parts={[{ bytes: pressure, kind: 'model' }]} />
          <p>Memory at {formatPercent(pressure)} of its limit</p>
        </div>
      )}
      {pressure === null && kind === 'mai' && <p class="soft">Its use of memory is not known.</p>}
      <ul class="soft">
        {pools.map(({ pool, label, totalBytes, limitBytes }) => (
          <li key={pool}>
            {label} {formatBytes(totalBytes)}, limit {formatBytes(limitBytes)}
          </li>
        ))}
      </ul>
      {kind === 'mai' && (
        <p class="soft">
          {guestRatio === null
            ? 'Other hosts may load nothing here now.'
            : `Other hosts may take ${formatPercent(guestRatio)} of the limit.`}
        </p>
      )}
    </div>
  );
}

function Models({ host: { kind, residents, fits, modelCount } }: { readonly host: FleetHost }) {
  return (
    <div class="models">
      <h4>Loaded</h4>
      {residents.length === 0 ? (
        <p class="soft">No model</p>
      ) : (
        <ul>
          {residents.map((resident) => (
            <li key={resident.instanceIdentifier}>
              <span class="key">{resident.modelKey}</span>{' '}
              <span class="soft">
                <Figures items={residentFigures(resident)} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {kind === 'mai' && (
        <>
          <h4>
            Fits <span class="soft">of {plural(modelCount, 'model')}</span>
          </h4>
          <Fits fits={fits} />
        </>
      )}
    </div>
  );
}

function residentFigures(resident: FleetHost['residents'][number]): readonly string[] {
  const { contextLengthTokens, footprintBytes, foreign, parallel, requests } = resident;
  return [
    ...(requests === null ? [] : [`${requests} of ${plural(parallel, 'request')}`]),
    ...(contextLengthTokens === null ? [] : [`${formatTokens(contextLengthTokens)} context`]),
    ...(footprintBytes === null ? [] : [formatBytes(footprintBytes)]),
    ...speedFigures(resident),
    ...(foreign ? ['not loaded by Mai'] : []),
  ];
}

function Fits({ fits }: { readonly fits: FleetHost['fits'] }) {
  if (fits.length === 0) return <p class="soft">No further model</p>;
  const [first, rest] = [fits.slice(0, FITS_SHOWN), fits.slice(FITS_SHOWN)];
  return (
    <>
      <FitList fits={first} />
      {rest.length > 0 && (
        <details>
          <summary>{rest.length} more</summary>
          <FitList fits={rest} />
        </details>
      )}
    </>
  );
}

function FitList({ fits }: { readonly fits: FleetHost['fits'] }) {
  return (
    <ul>
      {fits.map((model) => (
        <li key={model.modelKey}>
          <span class="key">{model.modelKey}</span>{' '}
          <span class="soft">
            <Figures
              items={[
                model.fit === 'now' ? 'now' : 'after idle models are unloaded',
                ...speedFigures(model),
              ]}
            />
          </span>
        </li>
      ))}
    </ul>
  );
}
