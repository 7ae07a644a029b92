import {
  formatBytes,
  formatDuration,
  formatPercent,
  formatShare,
  plural,
  poolLabel,
  renderMeter,
  padEnd,
  wrapBehind,
} from '@mai/host';
import type { Resources } from '@mai/memory-ledger';
import type { PoolOutcome, PoolTrend, ResourceSnapshot } from '@mai/host';
import type { Output } from '../../terminal/output.js';
import { renderPoolLegend, renderPools } from './memory-pools.js';

/** The readings of a machine. */
export interface MachineReport {
  readonly resources: Resources;
  readonly pools: readonly PoolOutcome[];
  /** `null` where LM Studio runs on another machine. */
  readonly snapshot: ResourceSnapshot | null;
  readonly trends: readonly PoolTrend[];
}

/** A machine's pools, swap, CPU and the trend of each pool. */
export function renderMachine(report: MachineReport, output: Output): string {
  const { resources, pools, snapshot } = report;
  const { style } = output;
  const title = resources.observable ? 'This machine' : "LM Studio's machine";
  const facts = [
    ...(snapshot === null ? [] : [plural(snapshot.cpu.cores, 'core')]),
    ...resources.gpus.map(({ name }) => name ?? 'a GPU without a name'),
    ...(snapshot?.ram.limitedBy === 'cgroup' ? ['memory limited by its container'] : []),
    ...(snapshot?.power.onBattery === true ? ['on battery'] : []),
  ];
  return [
    `${style.heading(title)}  ${style.dim(facts.join(', '))}`.trimEnd(),
    ...renderPools(pools, resources, 'before', output),
    ...renderSwap(snapshot, output),
    ...renderCpu(report, output),
    ...(pools.length === 0 ? [] : renderPoolLegend(pools, output)),
    ...report.trends.flatMap((trend) => renderTrend(trend, report.resources, output)),
  ].join('\n');
}

const LABEL_WIDTH = 8;
const METER_WIDTH = 20;

function line(label: string, text: string, { style }: Output): string {
  return `  ${style.bold(padEnd(label, LABEL_WIDTH))}${text}`;
}

function renderSwap(snapshot: ResourceSnapshot | null, output: Output): string[] {
  const { totalBytes = null, freeBytes = null, outBytesPerSecond = null } = snapshot?.swap ?? {};
  if (totalBytes === null || freeBytes === null || totalBytes - freeBytes <= 0) return [];
  const busy = (outBytesPerSecond ?? 0) > 0;
  const rate = busy ? `, ${formatBytes(outBytesPerSecond)}/s being written` : '';
  const text = `${formatShare(totalBytes - freeBytes, totalBytes)}${rate}`;
  return [line('Swap', busy ? output.style.caution(text) : text, output)];
}

function renderCpu({ resources, snapshot }: MachineReport, output: Output): string[] {
  const { utilizationRatio, othersRatio } = resources.cpu;
  const ratio = utilizationRatio ?? othersRatio;
  if (ratio === null) return [];
  const { style, unicode } = output;
  const meter = padEnd(renderMeter(ratio, METER_WIDTH, unicode, style.others), METER_WIDTH);
  const engines = snapshot?.cpu.enginesRatio ?? 0;
  const share = engines > 0.005 ? `, ${formatPercent(engines)} of it the models'` : '';
  return [line('CPU', `${meter} ${formatPercent(ratio).padStart(5)}${share}`, output)];
}

function renderTrend({ pool, trend }: PoolTrend, resources: Resources, output: Output): string[] {
  const { direction, slopePerSecond, timeToLimitMs } = trend;
  const rate = formatBytes(Math.abs((slopePerSecond ?? 0) * 60));
  const text = {
    rising: `rising by ${rate} a minute`,
    falling: `falling by ${rate} a minute`,
    steady: 'steady',
    unknown: 'not known yet',
  }[direction];
  const limit =
    timeToLimitMs === null || direction !== 'rising'
      ? ''
      : output.style.caution(`, at its limit in ${formatDuration(timeToLimitMs)}`);
  const sentence = `${poolLabel(pool, resources)} use is ${text}${limit}`;
  return wrapBehind(line('Trend', '', output), sentence, output.textWidth);
}
