import type { PoolOutcome } from '@mai/selector';

/** A level at which others' use of a pool turned, as a ratio of its total, and when it was last seen. */
interface TurningPoint {
  lastSeenAtMs: number;
  ratio: number;
}

/** How far back the restlessness of a machine is looked at: builds and games come and go in minutes. */
const WINDOW_MS = 600_000;
/** A machine that was not looked at for so long has slept. */
const GAP_MS = 60_000;
/** Less than half a point of a hundred is no turn: memory is never quite still. */
const TURN_MIN_RATIO = 0.005;
/** Bounds memory; the oldest go first. */
const POINTS_MAX = 240;

/** Watches what others use for what comes and goes. */
export class SwingWatch {
  readonly #pools = new Map<string, TurningPoint[]>();
  #lastAtMs = Number.NEGATIVE_INFINITY;

  observe(atMs: number, pools: readonly PoolOutcome[]): void {
    if (atMs < this.#lastAtMs || atMs - this.#lastAtMs > GAP_MS) this.#pools.clear();
    this.#lastAtMs = atMs;
    for (const { pool, othersBytes, totalBytes } of pools) {
      const points = this.#pools.get(pool) ?? [];
      this.#pools.set(pool, points);
      follow(points, atMs, othersBytes / totalBytes);
    }
  }

  /**
   * The largest rise of the last minutes in each pool that was followed by a fall, 0 to 1: what came and
   * went may come again. A rise that stays is a new level, and a fall alone is a program that has ended:
   * neither is a reason to hold back.
   */
  swingRatio(pool: string): number {
    return swingOf(this.#pools.get(pool) ?? []);
  }
}

/** Moves the last turning point on, or adds one where the use has turned. */
function follow(points: TurningPoint[], atMs: number, ratio: number): void {
  while (points.length > 1 && atMs - (points[0] as TurningPoint).lastSeenAtMs > WINDOW_MS) {
    points.shift();
  }
  const last = points[points.length - 1];
  const before = points[points.length - 2];
  if (last === undefined) {
    points.push({ lastSeenAtMs: atMs, ratio });
    return;
  }
  const change = ratio - last.ratio;
  const goesOn = before !== undefined && change * (last.ratio - before.ratio) > 0;
  if (!goesOn && Math.abs(change) >= TURN_MIN_RATIO) {
    points.push({ lastSeenAtMs: atMs, ratio });
    if (points.length > POINTS_MAX) points.shift();
    return;
  }
  last.lastSeenAtMs = atMs;
  if (goesOn) last.ratio = ratio;
}

function swingOf(points: readonly TurningPoint[]): number {
  if (points.length < 3) return 0;
  const lowestAfter = new Array<number>(points.length);
  let lowest = Number.POSITIVE_INFINITY;
  for (let index = points.length - 1; index >= 0; index -= 1) {
    lowestAfter[index] = lowest;
    lowest = Math.min(lowest, (points[index] as TurningPoint).ratio);
  }
  let lowestBefore = Number.POSITIVE_INFINITY;
  let swing = 0;
  for (const [index, { ratio }] of points.entries()) {
    const base = Math.max(lowestBefore, lowestAfter[index] as number);
    if (Number.isFinite(base)) swing = Math.max(swing, ratio - base);
    lowestBefore = Math.min(lowestBefore, ratio);
  }
  return swing;
}
