import {
  describeNext,
  describeNow,
  describeYield,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  renderMeter,
  padEnd,
  wrapBehind,
} from '@mai/host';
import { totalBytesOf } from '@mai/memory-ledger';
import type { AutopilotState, Resident } from '@mai/host';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';
import { renderPoolLegend, renderPools } from '../machine/memory-pools.js';

/** A load in progress. */
export interface LoadProgress {
  readonly modelKey: string;
  readonly ratio: number;
}

/** Everything that the live view of `mai watch` shows. */
export interface WatchPicture {
  /** Name, version and address of the runtime. */
  readonly runtime: string;
  readonly dryRun: boolean;
  /** Whether `mai watch` has ended. */
  readonly stopped: boolean;
  readonly state: AutopilotState;
  readonly loading: LoadProgress | null;
  /** Identifiers of the instances that were unloaded since the last decision. */
  readonly gone: ReadonlySet<string>;
  /** The latest events, oldest first. */
  readonly log: readonly { readonly atMs: number; readonly text: string }[];
  readonly nowMs: number;
  /** Rows of the terminal; `null` where the output is not a terminal. */
  readonly rows: number | null;
}

/** The live view: pools, residents, the decision and its reasons, possible next steps, and the latest events. */
export function renderWatch(picture: WatchPicture, output: Output): string {
  const log = logLines(picture, output);
  // After the end the state is out of date, so only the events are shown.
  if (picture.stopped) return `${[title(picture, output), '', ...log].join('\n')}\n`;
  const lines = [
    title(picture, output),
    ...memory(picture, output),
    '',
    ...residents(picture, output),
    '',
    ...decision(picture, output),
  ];
  const room = (picture.rows ?? Infinity) - lines.length - 2;
  const shown = log.slice(-Math.max(MIN_LOG_LINES, Math.min(MAX_LOG_LINES, room)));
  return `${[...lines, ...(shown.length === 0 ? [] : ['', ...shown])].join('\n')}\n`;
}

const MIN_LOG_LINES = 3;
/** Maximum number of events that the view shows. */
export const MAX_LOG_LINES = 10;
const LABEL_WIDTH = 10;

function title({ runtime, dryRun, stopped, state }: WatchPicture, { style }: Output): string {
  const doing = {
    running: style.good('running'),
    switching: style.accent('switching'),
    stopping: style.caution('stopping'),
    stopped: style.dim('stopped'),
  }[stopped ? 'stopped' : state.status];
  const trouble = state.fault === null ? '' : `  ${style.bad('retrying')}`;
  const how = dryRun ? `  ${style.caution('dry run')}` : '';
  return `${style.heading('mai watch')}  ${doing}${trouble}${how}  ${style.dim(runtime)}`;
}

function memory({ state }: WatchPicture, output: Output): string[] {
  if (state.decision === null) return [`  ${output.style.dim('reading memory and models ...')}`];
  const { selection, input } = state.decision;
  return [
    ...renderPools(selection.pools, input.resources, 'before', output),
    ...(selection.pools.length === 0 ? [] : renderPoolLegend(selection.pools, output)),
  ];
}

function residents({ state, loading, gone }: WatchPicture, output: Output): string[] {
  const { style, unicode } = output;
  const known = state.decision?.input.residents ?? [];
  const listed = known.filter(({ instanceIdentifier }) => !gone.has(instanceIdentifier));
  const rows = listed.map((resident) => [
    resident.instanceIdentifier,
    formatCount(resident.loadConfig.contextLengthTokens),
    formatBytes(resident.footprint === null ? null : totalBytesOf(resident.footprint)),
    stateOf(resident, output),
    resident.foreign ? '' : style.accent('Mai'),
  ]);
  const table =
    rows.length === 0
      ? [`  ${style.dim('nothing is loaded')}`]
      : renderTable({
          columns: [
            { header: 'LOADED', minWidth: 16, cut: 'middle' },
            { header: 'CONTEXT', align: 'right' },
            { header: 'TAKES', align: 'right' },
            { header: 'STATE' },
            { header: 'BY', dispensable: 1 },
          ],
          rows,
          output: { ...output, tableWidth: Math.min(output.tableWidth, output.textWidth) },
        })
          .trimEnd()
          .split('\n');
  if (loading === null) return table;
  const bar = renderMeter(loading.ratio, METER_WIDTH, unicode, style.accent);
  const meter = padEnd(bar, METER_WIDTH);
  const percent = formatPercent(loading.ratio);
  return [...table, `  ${style.bold('Loading')} ${loading.modelKey} ${meter} ${percent}`];
}

const METER_WIDTH = 20;

function stateOf({ busy, pinned }: Resident, { style }: Output): string {
  return [busy ? style.accent('busy') : 'idle', ...(pinned ? ['pinned'] : [])].join(', ');
}

function decision({ state, nowMs }: WatchPicture, output: Output): string[] {
  const { style, textWidth } = output;
  const row = (label: string, text: string): string[] =>
    wrapBehind(style.bold(label.padEnd(LABEL_WIDTH)), text, textWidth);
  return [
    ...row('Decision', describeNow(state, nowMs)),
    ...describeNext(state, nowMs).flatMap((text, index) => row(index === 0 ? 'Next' : '', text)),
    ...state.yields.flatMap((one) => row('Yield', describeYield(one, nowMs))),
    ...(state.pins.length === 0
      ? []
      : row('Pinned', state.pins.map(({ target }) => target).join(', '))),
  ];
}

function logLines({ log, nowMs }: WatchPicture, { style, textWidth }: Output): string[] {
  return log.flatMap(({ atMs, text }) => {
    const age = nowMs - atMs < 1000 ? 'now' : formatDuration(nowMs - atMs);
    return wrapBehind(`${style.dim(age.padStart(LOG_LABEL_WIDTH - 2))}  `, text, textWidth);
  });
}

const LOG_LABEL_WIDTH = 14;
