import type { PoolName } from '@mai/memory-ledger';
import type { PoolOutcome } from '@mai/selector';

/** A period in which the others' use of every pool hardly changed. */
export interface UsePeriod {
  readonly lastedMs: number;
  readonly othersBytes: ReadonlyMap<PoolName, number>;
}

/** How much time is remembered. */
const WINDOW_MS = 2 * 3_600_000;
/** A longer gap between two observations does not count: the machine slept, or a switch took long. */
const GAP_MS = 60_000;
/** A smaller change of a pool starts no new period. */
const CHANGE_MIN_RATIO = 0.005;
/** The most periods that are remembered. The oldest are dropped first. */
const PERIODS_MAX = 720;

/** Remembers the others' use of each pool over the last two hours, as periods of equal use. */
export class UseHistory {
  #ended: UsePeriod[] = [];
  #endedMs = 0;
  #open: { lastedMs: number; readonly use: UsePeriod['othersBytes'] } | null = null;
  #lastAtMs = 0;

  observe(atMs: number, pools: readonly PoolOutcome[]): void {
    const elapsedMs = atMs - this.#lastAtMs;
    this.#lastAtMs = atMs;
    const open = this.#open;
    if (open !== null && elapsedMs > 0 && elapsedMs <= GAP_MS) open.lastedMs += elapsedMs;
    if (open !== null && isSame(open.use, pools)) return;
    if (open !== null) this.#end({ lastedMs: open.lastedMs, othersBytes: open.use });
    const use = new Map(pools.map(({ pool, othersBytes }) => [pool, othersBytes]));
    this.#open = { lastedMs: 0, use };
  }

  /** The periods, oldest first. */
  get periods(): readonly UsePeriod[] {
    const open = this.#open;
    if (open === null) return this.#ended;
    return [...this.#ended, { lastedMs: open.lastedMs, othersBytes: open.use }];
  }

  #end(period: UsePeriod): void {
    this.#ended.push(period);
    this.#endedMs += period.lastedMs;
    let drop = Math.max(0, this.#ended.length - PERIODS_MAX);
    while (this.#endedMs > WINDOW_MS || drop > 0) {
      const [oldest] = this.#ended;
      if (oldest === undefined) break;
      this.#ended.shift();
      this.#endedMs -= oldest.lastedMs;
      drop -= 1;
    }
  }
}

function isSame(use: UsePeriod['othersBytes'], pools: readonly PoolOutcome[]): boolean {
  return (
    use.size === pools.length &&
    pools.every(({ pool, othersBytes, totalBytes }) => {
      const before = use.get(pool);
      return before !== undefined && Math.abs(othersBytes - before) < CHANGE_MIN_RATIO * totalBytes;
    })
  );
}
