import { formatBytes, formatDuration, plural, padEnd, wrap, wrapBehind } from '@mai/host';
import type { PolicyName, ServedPart, SimulationReport } from '@mai/simulation';
import type { SimulatedChain } from '@mai/host';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';
import { formatPrecisePercent, formatSimulatedTime, renderServing } from './serving-chart.js';

/** The trace, the chain and the seed of a simulation. */
export interface SimulationTitle {
  readonly traceName: string;
  /** `null`: the default chain. */
  readonly chainName: string | null;
  readonly seed: number;
  readonly chain: SimulatedChain;
}

/** One simulation as text. */
export function renderSimulation(
  policy: PolicyName,
  report: SimulationReport,
  served: readonly ServedPart[],
  title: SimulationTitle,
  output: Output,
): string {
  const { style } = output;
  const modelKeys = title.chain.models.map(({ profile }) => profile.modelKey);
  return [
    renderTitle(title, report.durationMs, output),
    [
      style.heading(`Models over time with the policy ${policy}`),
      ...renderServing(modelKeys, served, report, output),
    ].join('\n'),
    [style.heading('Figures'), ...figures(report, output)].join('\n'),
    renderDecisions(report, output),
  ]
    .filter((text) => text !== '')
    .map((text) => `${text.trimEnd()}\n`)
    .join('\n');
}

/** The figures of several policies side by side. */
export function renderComparison(
  reports: ReadonlyMap<PolicyName, SimulationReport>,
  title: SimulationTitle,
  output: Output,
): string {
  const { style } = output;
  const [first] = reports.values();
  const rows = [...reports].map(([name, report]) => [
    name === 'mai' ? style.accent(name) : name,
    formatPrecisePercent(report.qualityRatio),
    shareOf(report.overloadedMs, report.durationMs),
    String(report.outOfMemoryEvents),
    shareOf(report.noModelMs, report.durationMs),
    String(report.switches),
    String(report.flaps),
    String(report.busyEvictions),
    String(report.droppedRequests),
  ]);
  const table = renderTable({
    columns: [
      { header: 'POLICY' },
      ...['QUALITY', 'OVERLOAD', 'OOM', 'NO MODEL', 'SWITCHES', 'FLAPS', 'BUSY', 'DROPPED'].map(
        (header) => ({ header, align: 'right' as const }),
      ),
    ],
    rows,
    output,
  });
  const legend =
    'QUALITY: share of the quality that perfect foresight reaches. OVERLOAD: share of the time over a hard limit. OOM: how often ' +
    'demand for memory exceeded capacity. BUSY: unloads in the middle of an answer. DROPPED: requests ' +
    'without an answer.';
  return [
    renderTitle(title, first?.durationMs ?? 0, output),
    `\n${table}\n`,
    ...wrap(legend, output.textWidth - 2).map((line) => `${style.dim(`  ${line}`)}\n`),
  ].join('');
}

function renderTitle(
  { traceName, chainName, seed, chain }: SimulationTitle,
  durationMs: number,
  { style, textWidth: width }: Output,
): string {
  const models = chain.models.map(
    ({ profile: { modelKey }, footprintBytes }) => `${modelKey} (${formatBytes(footprintBytes)})`,
  );
  const name = chainName === null ? 'Chain' : `Chain ${chainName}`;
  return [
    ...wrap(
      `${style.bold(traceName)}: ${formatDuration(durationMs)} simulated, seed ${seed}.`,
      width,
    ),
    ...wrap(`${name}: ${models.join(', ')}.`, width).map((line) => style.dim(line)),
    '',
  ].join('\n');
}

const LABEL_WIDTH = 13;

function figures(report: SimulationReport, output: Output): string[] {
  const { style, textWidth: width } = output;
  const clean = (count: number, text: string) => (count === 0 ? text : style.bad(text));
  const rows: readonly (readonly [string, string])[] = [
    [
      'Quality',
      `${style.bold(formatPrecisePercent(report.qualityRatio))} of the quality that perfect foresight reaches`,
    ],
    [
      'Switches',
      `${report.switches} (${perHour(report.switchesPerHour)} an hour), ${report.emergencySwitches} of them forced by the hard limit, ` +
        clean(report.flaps, plural(report.flaps, 'flap')),
    ],
    [
      'Overload',
      `${formatDuration(report.overloadedMs)} (${shareOf(report.overloadedMs, report.durationMs)}) over a hard limit, ` +
        clean(
          report.avoidableOverloadedMs,
          `${formatDuration(report.avoidableOverloadedMs)} of it avoidable`,
        ),
    ],
    [
      'Out of memory',
      `${plural(report.outOfMemoryEvents, 'time')}, ` +
        clean(report.avoidableOutOfMemoryEvents, `${report.avoidableOutOfMemoryEvents} avoidable`),
    ],
    [
      'Requests',
      `${report.droppedRequests} found no model ready or were cancelled; ` +
        clean(
          report.busyEvictions,
          `${plural(report.busyEvictions, 'unload')} in the middle of an answer`,
        ),
    ],
  ];
  return rows.flatMap(([label, text]) =>
    wrapBehind(`  ${padEnd(label, LABEL_WIDTH)}  `, text, width),
  );
}

/** Two decimals, so that a minute of a day is visible. */
function shareOf(ms: number, durationMs: number): string {
  return `${(durationMs === 0 ? 0 : (ms / durationMs) * 100).toFixed(2)} %`;
}

function perHour(rate: number): string {
  return rate.toFixed(rate < 9.95 ? 1 : 0);
}

const DECISIONS_SHOWN = 10;

/** The last decisions that were carried out. */
function renderDecisions({ decisions }: SimulationReport, output: Output): string {
  if (decisions.length === 0) return '';
  const { style } = output;
  const shown = decisions.slice(-DECISIONS_SHOWN);
  const heading =
    shown.length < decisions.length
      ? `The last ${shown.length} of ${decisions.length} decisions`
      : 'Decisions';
  const table = renderTable({
    columns: [
      { header: 'AT', align: 'right' },
      { header: 'OUTCOME' },
      { header: 'MODEL', minWidth: 16, cut: 'middle' },
      { header: 'WHY', minWidth: 10 },
    ],
    rows: shown.map(({ atMs, outcome, modelKey, reason }) => [
      formatSimulatedTime(atMs),
      outcome,
      modelKey ?? '',
      style.dim(reason),
    ]),
    output,
  });
  return `${style.heading(heading)}\n${table}`;
}
