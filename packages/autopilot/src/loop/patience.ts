import type { SelectionPolicy } from '@mai/memory-ledger';
import type { PoolOutcome, Selection } from '@mai/selector';
import { bytesToMs, loadMs, SETTLE_MS } from './reaction.js';

/** A time over the limit: that of the model that was loaded when it began, wherever that is now. */
interface Excursion {
  readonly sinceMs: number;
  /** What others may use of each pool for that model to be within its limits. */
  readonly roomBytes: ReadonlyMap<string, number>;
}

/** Excursions are remembered for so long, and so many of them. */
const MEMORY_MS = 2 * 3_600_000;
const EXCURSIONS_MAX = 12;
/** One that ends a moment after the last one did is waited for, too. */
const SLACK_MS = 2000;
/** So many of the excursions have to be over in time to speak of a machine where they are. */
const OUTLASTED_MIN = 0.8;
/** Share of the cool-down that a step down costs in quality until the larger model may come back. */
const COOL_DOWN_SHARE = 0.25;

/**
 * Learns how long the excursions over the limit last on this machine, and from that how long it pays to
 * wait for the end of the next one. A build or a test suite that goes a little over the limit every few
 * minutes, and back before two models could have been swapped there and back, is waited out; a game is
 * not. Nothing is waited for over the hard limit, or when a forecast reaches it.
 */
export class Patience {
  #open: Excursion | null = null;
  #ended: { readonly atMs: number; readonly lastedMs: number }[] = [];
  #tripMs = 0;

  observe(atMs: number, selection: Selection, policy: SelectionPolicy): void {
    const { pools } = selection;
    if (this.#open !== null && !isOver(pools, this.#open)) {
      const lastedMs = Math.max(0, atMs - this.#open.sinceMs);
      this.#ended = [...this.#ended, { atMs, lastedMs }].slice(-EXCURSIONS_MAX);
      this.#open = null;
    }
    const [oldest] = this.#ended;
    if (oldest !== undefined && atMs - oldest.atMs > MEMORY_MS) this.#ended.shift();
    if (this.#open !== null || selection.direction !== 'down') return;
    const begun = { sinceMs: atMs, roomBytes: roomOf(pools, policy) };
    if (!isOver(pools, begun)) return;
    this.#open = begun;
    this.#tripMs = tripMs(selection, policy);
  }

  /**
   * How long a model may be over its limit before it is stepped down from: the dwell, or as much longer
   * as would have cost the least, over the excursions that are remembered and one that never ends.
   */
  dwellMs({ dwellMs }: SelectionPolicy): number {
    const lasted = this.#ended.map((one) => one.lastedMs);
    const costOf = (patienceMs: number): number =>
      [...lasted, Number.POSITIVE_INFINITY].reduce(
        (sum, ms) =>
          sum +
          (ms <= patienceMs ? Math.max(0, ms - dwellMs) : patienceMs - dwellMs + this.#tripMs),
        0,
      );
    let best = dwellMs;
    for (const ms of lasted) {
      const patienceMs = ms + SLACK_MS;
      if (patienceMs > dwellMs && costOf(patienceMs) < costOf(best)) best = patienceMs;
    }
    return best;
  }

  /** Whether what comes and goes on this machine is waited out, so that it need not be kept clear of. */
  waitsItOut(policy: SelectionPolicy): boolean {
    if (this.#ended.length === 0) return false;
    const patienceMs = this.dwellMs(policy);
    const outlasted = this.#ended.filter((one) => one.lastedMs <= patienceMs).length;
    return outlasted >= OUTLASTED_MIN * this.#ended.length;
  }
}

/** What stepping down and coming back costs, in time without a model or with a lesser one. */
function tripMs({ chosen, pools }: Selection, { coolDownMs }: SelectionPolicy): number {
  const bytesNow = pools
    .filter(({ pool }) => !pool.startsWith('gpu-share:'))
    .reduce((sum, { useBeforeBytes, othersBytes }) => sum + useBeforeBytes - othersBytes, 0);
  const down = chosen?.footprint ?? null;
  return loadMs(down) + SETTLE_MS + bytesToMs(bytesNow) + SETTLE_MS + COOL_DOWN_SHARE * coolDownMs;
}

function roomOf(
  pools: readonly PoolOutcome[],
  { minHeadroomBytes }: SelectionPolicy,
): ReadonlyMap<string, number> {
  const room = new Map<string, number>();
  for (const { pool, totalBytes, limitRatio, useBeforeBytes, othersBytes } of pools) {
    const ownBytes = useBeforeBytes - othersBytes;
    // A pool that the model takes nothing from is not over the limit because of it.
    if (ownBytes <= 0) continue;
    const headroom = pool.startsWith('gpu-share:') ? 0 : minHeadroomBytes;
    room.set(pool, Math.min(totalBytes * limitRatio, totalBytes - headroom) - ownBytes);
  }
  return room;
}

function isOver(
  pools: readonly PoolOutcome[],
  { roomBytes }: Pick<Excursion, 'roomBytes'>,
): boolean {
  return pools.some(({ pool, othersBytes }) => {
    const room = roomBytes.get(pool);
    return room !== undefined && othersBytes > room;
  });
}
