import type { ResourceSnapshot } from '../snapshot.js';
import type { Ring } from './ring.js';
import { createRing } from './ring.js';

/** A figure over time: `ram`, `swap` and `gpu:KEY` in bytes in use, `cpu` as a ratio. */
export type Series = 'ram' | 'swap' | 'cpu' | `gpu:${string}`;

export interface HistoryOptions {
  readonly series: Series;
  /** How far back, in milliseconds; 300_000 unless given. Decides how fine the buckets are. */
  readonly windowMs?: number;
}

/** The samples of one stretch of time. */
export interface HistoryBucket {
  /** Its start, in milliseconds since the epoch. */
  readonly startMs: number;
  readonly durationMs: number;
  /** When its samples were taken, in the mean; in milliseconds since the epoch. */
  readonly atMs: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  /** Samples in it. */
  readonly count: number;
}

/** Ten minutes by the second, two hours by ten, a day by the minute: 100 kB for each series. */
const LEVELS = [
  { bucketMs: 1000, capacity: 600 },
  { bucketMs: 10_000, capacity: 720 },
  { bucketMs: 60_000, capacity: 1440 },
] as const;
/** More GPUs than any machine that runs LM Studio; bounds the memory where keys keep changing. */
const MOST_SERIES = 32;

interface SeriesHistory {
  readonly levels: readonly Ring[];
  /** Total of the pool when it was last sampled. */
  total: number | null;
}

/** What was sampled, in fixed memory. */
export interface History {
  /** `atMs` is on a clock that only grows. */
  record(snapshot: ResourceSnapshot, atMs: number): void;
  /** Those of the last `windowMs` before `nowMs`, a moment on the same clock. */
  buckets(series: Series, windowMs: number, nowMs: number): readonly HistoryBucket[];
  /** The total of the pool behind a series; 1 for the CPU; null when never sampled. */
  totalOf(series: Series): number | null;
  /** When the newest sample was taken. */
  readonly newestMs: number;
  /** From the clock that grows to the epoch. */
  toEpochMs(atMs: number): number;
}

export function createHistory(): History {
  const bySeries = new Map<Series, SeriesHistory>();
  let newestMs = 0;
  /** From the clock that grows to the epoch. */
  let offsetMs = 0;

  const push = (series: Series, atMs: number, value: number | null, total: number | null): void => {
    if (value === null) return;
    let history = bySeries.get(series);
    if (history === undefined) {
      if (bySeries.size >= MOST_SERIES) return;
      const levels = LEVELS.map(({ bucketMs, capacity }) => createRing(bucketMs, capacity));
      bySeries.set(series, (history = { levels, total }));
    }
    history.total = total;
    for (const ring of history.levels) ring.push(atMs, value);
  };

  return {
    record(snapshot, atMs) {
      newestMs = atMs;
      offsetMs = snapshot.timestampMs - atMs;
      const { ram, swap, cpu, gpus } = snapshot;
      push('ram', atMs, used(ram), ram.totalBytes);
      push('cpu', atMs, cpu.utilizationRatio, 1);
      push('swap', atMs, used({ ...swap, availableBytes: swap.freeBytes }), swap.totalBytes);
      for (const gpu of gpus) {
        push(`gpu:${gpu.deviceKey}`, atMs, used(gpu) ?? gpu.usedBytes, gpu.totalBytes);
      }
    },
    buckets(series, windowMs, nowMs) {
      const levels = bySeries.get(series)?.levels ?? [];
      const ring =
        levels.find(({ bucketMs, capacity }) => bucketMs * capacity >= windowMs) ?? levels.at(-1);
      return (ring?.since(nowMs - windowMs) ?? []).map((bucket) => ({
        ...bucket,
        startMs: Math.round(bucket.startMs + offsetMs),
        atMs: Math.round(bucket.atMs + offsetMs),
      }));
    },
    totalOf: (series) => bySeries.get(series)?.total ?? null,
    get newestMs() {
      return newestMs;
    },
    toEpochMs: (atMs) => atMs + offsetMs,
  };
}

function used(pool: {
  readonly totalBytes: number | null;
  readonly availableBytes: number | null;
}): number | null {
  const { totalBytes, availableBytes } = pool;
  return totalBytes === null || availableBytes === null ? null : totalBytes - availableBytes;
}
