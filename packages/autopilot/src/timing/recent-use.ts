import { deviceKeyOf, type PoolName } from '@mai/memory-ledger';
import type { PoolOutcome, Rejection, Selection } from '@mai/selector';

/**
 * How long memory that others have taken is expected back. Builds and page loads take memory for seconds. A refused caller would be
 * told to come again after a longer time.
 */
const WINDOW_MS = 20_000;

/** A use of a pool, and the time of the reading after it. No round runs during a switch, so readings may be far apart. */
interface Use {
  readonly untilMs: number;
  readonly othersBytes: number;
}

/** Remembers the others' use of each pool over the last 20 s, to tell a short peak from memory that stays taken. */
export class RecentUse {
  /** Rising uses: an earlier use that was not lower than a later one is never the lowest. */
  readonly #uses = new Map<PoolName, readonly Use[]>();

  /** @param atMs - monotonic */
  observe(atMs: number, pools: readonly PoolOutcome[]): void {
    for (const { pool, othersBytes } of pools) {
      const uses = this.#uses.get(pool) ?? [];
      const lower = uses
        .map((use, index) => (index === uses.length - 1 ? { ...use, untilMs: atMs } : use))
        .filter((use) => use.othersBytes < othersBytes && atMs - use.untilMs < WINDOW_MS);
      this.#uses.set(pool, [...lower, { untilMs: atMs, othersBytes }]);
    }
  }

  /** Call where a yield begins: the memory that it holds counts as the others' use, and does not come back before its end. */
  forget(): void {
    this.#uses.clear();
  }

  /** Whether a rejected candidate would fit if the others' use fell again to the lowest of the last 20 s. */
  mayFitAgain({ rejected, pools }: Pick<Selection, 'rejected' | 'pools'>): boolean {
    return rejected.some(({ rejection }) =>
      pools.some(
        ({ pool, othersBytes }) =>
          shortfallOf(rejection, pool) <= othersBytes - this.#lowestBytes(pool),
      ),
    );
  }

  #lowestBytes(pool: PoolName): number {
    return this.#uses.get(pool)?.[0]?.othersBytes ?? Infinity;
  }
}

/** The bytes that a candidate lacks in a pool. Infinity where it was rejected for another reason. */
function shortfallOf(rejection: Rejection, pool: PoolName): number {
  const isShort =
    (rejection.code === 'INSUFFICIENT_RAM' && pool === 'ram') ||
    (rejection.code === 'INSUFFICIENT_VRAM' && deviceKeyOf(pool) === rejection.deviceKey);
  return isShort ? rejection.shortfallBytes : Infinity;
}
