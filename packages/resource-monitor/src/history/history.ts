import type { ResourceSnapshot } from '../snapshot.js';
import type { Ring } from './ring.js';
import { createRing } from './ring.js';

/**
 * The name of a figure over time. `ram`, `swap` and `gpu:DEVICE_KEY` are bytes in use. `cpu` is a ratio from 0
 * to 1.
 */
export type Series = 'ram' | 'swap' | 'cpu' | `gpu:${string}`;

/** Options of `history`. */
export interface HistoryOptions {
  readonly series: Series;
  /**
   * Length of the window that ends now, in milliseconds, at least 0. Default: 300_000. Longer windows have wider buckets.
   */
  readonly windowMs?: number;
}

/** The samples of one time interval. */
export interface HistoryBucket {
  /** Start of the interval, in milliseconds since the epoch. */
  readonly startMs: number;
  readonly durationMs: number;
  /** Mean time of its samples, in milliseconds since the epoch. */
  readonly atMs: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  /** Number of samples. */
  readonly count: number;
}

/** Buckets of 1 s for ten minutes, 10 s for two hours, 1 min for a day. One series takes 100 kB. */
const LEVELS = [
  { bucketMs: 1000, capacity: 600 },
  { bucketMs: 10_000, capacity: 720 },
  { bucketMs: 60_000, capacity: 1440 },
] as const;
/** Limits the size of the history if device keys keep changing. Real machines have fewer GPUs. */
const MOST_SERIES = 32;

interface SeriesHistory {
  readonly levels: readonly Ring[];
  /** The pool's total in the last sample. */
  total: number | null;
}

/** The figures of past samples, in memory of fixed size. */
export interface History {
  /** Adds a sample taken at `atMs`, in monotonic milliseconds. */
  record(snapshot: ResourceSnapshot, atMs: number): void;
  /** The buckets of the last `windowMs` before `nowMs`, which is in monotonic milliseconds. */
  buckets(series: Series, windowMs: number, nowMs: number): readonly HistoryBucket[];
  /** The total of a series' pool; 1 for the CPU; null if the series was never sampled. */
  totalOf(series: Series): number | null;
  /** When the newest sample was taken, in monotonic milliseconds. */
  readonly newestMs: number;
  /** Converts monotonic milliseconds to milliseconds since the epoch. */
  toEpochMs(atMs: number): number;
}

export function createHistory(): History {
  const bySeries = new Map<Series, SeriesHistory>();
  let newestMs = 0;
  /** Epoch time minus monotonic time. */
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
