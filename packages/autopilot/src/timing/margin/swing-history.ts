import type { PoolName } from '@mai/memory-ledger';
import type { PoolOutcome } from '@mai/selector';
import { suffixMinima } from '../suffix-minima.js';

/** A level at which the others' use of a pool changed from rising to falling, or back. */
interface TurningPoint {
  readonly lastSeenAtMs: number;
  /** 0 to 1 of the pool's total. */
  readonly ratio: number;
}

/** How long swings are remembered. A build or a game starts and ends within minutes. */
const WINDOW_MS = 600_000;
/** After a longer gap the machine has slept, and the history starts again. */
const GAP_MS = 60_000;
/** A smaller change is noise, not a turn. */
const TURN_MIN_RATIO = 0.005;
/** The most points of the history. The oldest points are dropped first. */
const POINTS_MAX = 240;

/** Remembers how far the others' use of each pool rose and fell within the last ten minutes. */
export class SwingHistory {
  readonly #pools = new Map<PoolName, readonly TurningPoint[]>();
  #lastAtMs = Number.NEGATIVE_INFINITY;

  observe(atMs: number, pools: readonly PoolOutcome[]): void {
    if (atMs < this.#lastAtMs || atMs - this.#lastAtMs > GAP_MS) this.#pools.clear();
    this.#lastAtMs = atMs;
    for (const { pool, othersBytes, totalBytes } of pools) {
      const ratio = othersBytes / totalBytes;
      this.#pools.set(pool, addPoint(this.#pools.get(pool) ?? [], atMs, ratio));
    }
  }

  /**
   * The largest rise in a pool that was followed by a fall, 0 to 1 of the pool, because such a rise may come
   * again. A rise without a fall (a new level) and a fall without a rise (a program that ended) do not count.
   */
  swingRatio(pool: PoolName): number {
    return swingOf(this.#pools.get(pool) ?? []);
  }
}

/** Moves the last turning point to the new level, or adds a point where the use has turned. */
function addPoint(
  points: readonly TurningPoint[],
  atMs: number,
  ratio: number,
): readonly TurningPoint[] {
  const firstFresh = points.findIndex(({ lastSeenAtMs }) => atMs - lastSeenAtMs <= WINDOW_MS);
  // Keep the last point at any age, because the next change is measured from it.
  const kept = points.slice(firstFresh === -1 ? points.length - 1 : firstFresh);
  const last = kept.at(-1);
  const before = kept.at(-2);
  if (last === undefined) return [{ lastSeenAtMs: atMs, ratio }];
  const change = ratio - last.ratio;
  const goesOn = before !== undefined && change * (last.ratio - before.ratio) > 0;
  if (!goesOn && Math.abs(change) >= TURN_MIN_RATIO) {
    return [...kept, { lastSeenAtMs: atMs, ratio }].slice(-POINTS_MAX);
  }
  return [...kept.slice(0, -1), { lastSeenAtMs: atMs, ratio: goesOn ? ratio : last.ratio }];
}

function swingOf(points: readonly TurningPoint[]): number {
  if (points.length < 3) return 0;
  const lowestFrom = suffixMinima(points.map(({ ratio }) => ratio));
  let lowestBefore = Number.POSITIVE_INFINITY;
  let swing = 0;
  for (const [index, { ratio }] of points.entries()) {
    const base = Math.max(lowestBefore, lowestFrom[index + 1] ?? Number.POSITIVE_INFINITY);
    if (Number.isFinite(base)) swing = Math.max(swing, ratio - base);
    lowestBefore = Math.min(lowestBefore, ratio);
  }
  return swing;
}
