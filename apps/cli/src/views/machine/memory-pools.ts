import {
  bytesInUse,
  formatBytes,
  formatPercent,
  formatShare,
  poolLabel,
  type BarPart,
  renderBar,
  renderLegend,
  padEnd,
} from '@mai/host';
import { hasOwnMemory, unmeasuredPools, type Resources } from '@mai/memory-ledger';
import type { PoolOutcome } from '@mai/host';
import type { Output } from '../../terminal/output.js';

const FIGURES_WIDTH = 25;
const MIN_BAR_WIDTH = 10;
const MAX_BAR_WIDTH = 48;

/**
 * One line for each pool, with label, bar and figures. Where the free memory of a pool is not known, the bar shows the
 * models only, and the figures show the total only.
 * `when` chooses the use before or after the plan. `injectedBytes` is the use that the demo
 * simulates, by pool.
 */
export function renderPools(
  pools: readonly PoolOutcome[],
  resources: Resources,
  when: 'before' | 'after',
  output: Output,
  injectedBytes: ReadonlyMap<string, number> = new Map(),
): string[] {
  const { style, unicode } = output;
  const labels = pools.map(({ pool }) => poolLabel(pool, resources));
  const labelWidth = Math.max(6, ...labels.map(({ length }) => length));
  const barWidth = Math.min(
    MAX_BAR_WIDTH,
    Math.max(MIN_BAR_WIDTH, output.textWidth - labelWidth - FIGURES_WIDTH - 6),
  );
  // On another machine nobody expects free memory to be known, and a sentence says so.
  const unknown = resources.observable ? unmeasuredPools(resources) : [];
  const known = pools.map((pool, index) => {
    // A plan may need more than the pool has.
    const isPlanned = when === 'after' && pool.useAfterBytes > pool.useBeforeBytes;
    const useBytes = isPlanned
      ? pool.useAfterBytes
      : Math.min(bytesInUse(pool), when === 'after' ? pool.useAfterBytes : Infinity);
    const injected = injectedBytes.get(pool.pool) ?? 0;
    const { othersBytes, yieldedBytes = 0 } = pool;
    const parts: BarPart[] = [
      { kind: 'others', ratio: (othersBytes - yieldedBytes - injected) / pool.totalBytes },
      { kind: 'injected', ratio: injected / pool.totalBytes },
      { kind: 'yielded', ratio: yieldedBytes / pool.totalBytes },
      { kind: 'models', ratio: (useBytes - othersBytes) / pool.totalBytes },
    ];
    const { limitRatio, totalBytes } = pool;
    const bar = renderBar({ width: barWidth, parts, limitRatio, unicode, style });
    const ratio = useBytes / totalBytes;
    const percent = formatPercent(ratio).padStart(5);
    const figures = unknown.includes(pool.pool)
      ? style.dim(`? of ${formatBytes(totalBytes)}`)
      : `${padEnd(formatShare(useBytes, totalBytes), 17)}${ratio > limitRatio ? style.bad(`${percent} !`) : percent}`;
    return `  ${style.bold(padEnd(labels[index] ?? '', labelWidth))}  ${bar}  ${figures}`;
  });
  return [...known, ...unmeasured(pools, resources, labelWidth, output)];
}

/** The meaning of the glyphs in the bars, in several lines where the terminal is narrow. */
export function renderPoolLegend(
  pools: readonly PoolOutcome[],
  output: Output,
  injected = false,
): readonly string[] {
  const limits = new Set(pools.map(({ limitRatio }) => formatPercent(limitRatio)));
  const yielded = pools.some(({ yieldedBytes = 0 }) => yieldedBytes > 0);
  return renderLegend(
    [
      'others',
      ...(injected ? (['injected'] as const) : []),
      ...(yielded ? (['yielded'] as const) : []),
      'models',
      'free',
      'limit',
    ],
    {
      others: 'other programs',
      injected: 'injected',
      yielded: 'kept free by yields',
      models: 'models',
      free: 'free',
      limit: `limit ${[...limits].join(', ')}`,
    },
    { ...output, width: output.textWidth - 2 },
  ).map((line) => `  ${line}`);
}

function unmeasured(
  pools: readonly PoolOutcome[],
  resources: Resources,
  labelWidth: number,
  { style }: Output,
): string[] {
  const line = (label: string, totalBytes: number | null) => {
    const total = totalBytes === null ? 'size unknown' : `${formatBytes(totalBytes)} in total`;
    return `  ${style.bold(padEnd(label, labelWidth))}  ${style.dim(`${total}; its free memory cannot be read from here`)}`;
  };
  const known = new Set<string>(pools.map(({ pool }) => pool));
  const { ram, gpus } = resources;
  const hidden = gpus.filter(
    (gpu) => hasOwnMemory(gpu, resources) && !known.has(`gpu:${gpu.deviceKey}`),
  );
  return [
    ...(known.has('ram') ? [] : [line(poolLabel('ram', resources), ram.totalBytes)]),
    ...hidden.map((gpu) => line(poolLabel(`gpu:${gpu.deviceKey}`, resources), gpu.totalBytes)),
  ];
}
