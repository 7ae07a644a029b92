import {
  bytesInUse,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  displayAddress,
  poolLabel,
  RUNTIME_NAMES,
  wrap,
  wrapBehind,
} from '@mai/host';
import { totalBytesOf, unmeasuredPools } from '@mai/memory-ledger';
import type { StatusReport } from '@mai/host';
import type { Output } from '../../terminal/output.js';
import { renderTable } from '../../terminal/table.js';
import { renderMachine } from './machine-view.js';

/** The text of `mai status`: machine, runtime, pressure. */
export function renderStatus(report: StatusReport, output: Output): string {
  return [
    renderMachine(report, output),
    renderRuntime(report, output),
    renderPressure(report, output),
  ]
    .map((text) => `${text.trimEnd()}\n`)
    .join('\n');
}

function renderRuntime(report: StatusReport, output: Output): string {
  const { runtime, residents, elsewhere, resources } = report;
  const { style } = output;
  const heading = style.heading(RUNTIME_NAMES[runtime.name]);
  if (runtime.state !== 'running') {
    const label = `${heading}  ${style.caution(runtime.state)}  `;
    return wrapBehind(label, runtime.message, output.textWidth).join('\n');
  }
  const at = runtime.baseUrl === null ? '' : ` at ${displayAddress(runtime.baseUrl)}`;
  const where = runtime.isLocal ? '' : ', on another machine';
  const head = `${heading}  ${style.good('running')}  ${runtime.version}${at}${where}`;
  const others = wrap(
    `on other machines of LM Link: ${elsewhere.map((one) => one.instanceIdentifier).join(', ')}`,
    output.textWidth - 2,
  ).map((line) => `\n  ${style.dim(line)}`);
  const tail = elsewhere.length === 0 ? '' : others.join('');
  if (residents.length === 0) return `${head}\n  ${style.dim('nothing is loaded')}${tail}`;
  const rows = residents.map((resident) => [
    resident.instanceIdentifier,
    resident.instanceIdentifier.endsWith(resident.modelKey) ? '' : style.dim(resident.modelKey),
    formatCount(resident.contextLengthTokens),
    `${resident.exceedsGpus ? '~ ' : ''}${formatBytes(resident.footprint === null ? null : totalBytesOf(resident.footprint))}`,
    activity(resident, output),
    resident.foreign ? '' : style.accent('Mai'),
    unloadsIn(resident, resources.timestampMs),
  ]);
  const table = renderTable({
    columns: [
      { header: 'LOADED', minWidth: 16, cut: 'middle' },
      { header: 'MODEL', minWidth: 12, cut: 'middle', dispensable: 2 },
      { header: 'CONTEXT', align: 'right' },
      { header: 'TAKES', align: 'right' },
      { header: 'STATE' },
      { header: 'BY', dispensable: 1 },
      { header: 'UNLOADS', dispensable: 3 },
    ],
    rows,
    output,
  });
  const exceeding = residents.some(({ exceedsGpus }) => exceedsGpus)
    ? `\n  ${style.dim('~ larger than its GPU: its shares of GPU and RAM are a guess')}`
    : '';
  return `${head}\n${table.trimEnd()}${exceeding}${tail}\n`;
}

function activity(
  { activity: doing, queued, busy }: StatusReport['residents'][number],
  { style }: Output,
): string {
  const what = (doing ?? (busy ? 'busy' : 'unknown')).replaceAll('-', ' ');
  const waiting = (queued ?? 0) > 0 ? `, ${queued ?? 0} queued` : '';
  return busy ? style.accent(`${what}${waiting}`) : `${what}${waiting}`;
}

function unloadsIn(
  { ttlMs, lastUsedAtMs }: StatusReport['residents'][number],
  nowMs: number,
): string {
  if (ttlMs === null) return '';
  // LM Studio counts from the last use. Before the first use only the whole TTL is known.
  const leftMs = lastUsedAtMs === null ? ttlMs : lastUsedAtMs + ttlMs - nowMs;
  return `in ${formatDuration(Math.max(0, leftMs))}`;
}

function renderPressure({ pools, resources }: StatusReport, { style }: Output): string {
  const heading = style.heading('Pressure');
  if (pools.length === 0)
    return `${heading}   ${style.dim('unknown: the memory of that machine cannot be read from here')}`;
  const over = pools.flatMap((pool) => {
    const { useBeforeBytes, totalBytes, limitRatio, hardLimitRatio } = pool;
    const ratio = useBeforeBytes / totalBytes;
    if (ratio <= limitRatio) return [];
    const share = formatPercent(bytesInUse(pool) / totalBytes);
    const text = `${poolLabel(pool.pool, resources)} is at ${share}, over its limit of ${formatPercent(limitRatio)}`;
    return ratio > hardLimitRatio ? style.bad(`${text}, about to run out`) : style.caution(text);
  });
  const unknown = unmeasuredPools(resources).map((pool) => poolLabel(pool, resources));
  // On another machine, only the memory of the models is known, not that of other programs.
  const none = !resources.observable
    ? `${style.dim('unknown')}  the models stay below every limit, but the memory of other programs there is not known`
    : unknown.length > 0
      ? `${style.dim('unknown')}  the use of ${unknown.join(', ')} cannot be read; mai doctor says why`
      : `${style.good('none')}  every pool is below its limit`;
  return `${heading}   ${over.length === 0 ? none : over.join('; ')}`;
}
