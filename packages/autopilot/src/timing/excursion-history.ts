import { isGpuShare, type PoolName, type SelectionPolicy } from '@mai/memory-ledger';
import { bytesToMs, loadTimeMs, type PoolOutcome, type Selection } from '@mai/selector';
import { SETTLE_MS } from './reaction-time.js';

/**
 * A period in which the others' use left too little room for the model that was loaded when the period began.
 */
interface Excursion {
  readonly sinceMs: number;
  /** The most bytes of each pool that the others may use while this model stays within the limits. */
  readonly roomBytes: ReadonlyMap<PoolName, number>;
}

const REMEMBERED_MS = 2 * 3_600_000;
const EXCURSIONS_MAX = 12;
/** Added to the length of an excursion, so that the dwell also outlasts a slightly longer excursion. */
const SLACK_MS = 2000;
/** Excursions count as outlasted when at least this share of them end within the dwell. */
const OUTLASTED_MIN = 0.8;
/** The quality that is lost during the cool-down after a step down, as a share of the cool-down. */
const COOL_DOWN_SHARE = 0.25;

/**
 * Learns how long excursions over the limit last on this machine. A step down waits for an excursion to end if
 * excursions are usually shorter than two switches take, as during a build. It does not wait for long
 * excursions, as during a game.
 */
export class ExcursionHistory {
  #open: Excursion | null = null;
  #ended: readonly { readonly atMs: number; readonly lastedMs: number }[] = [];
  #roundTripMs = 0;

  observe(atMs: number, selection: Selection, policy: SelectionPolicy): void {
    const { pools } = selection;
    if (this.#open !== null && !isOver(pools, this.#open.roomBytes)) {
      const lastedMs = Math.max(0, atMs - this.#open.sinceMs);
      this.#ended = [...this.#ended, { atMs, lastedMs }].slice(-EXCURSIONS_MAX);
      this.#open = null;
    }
    const [oldest] = this.#ended;
    if (oldest !== undefined && atMs - oldest.atMs > REMEMBERED_MS) {
      this.#ended = this.#ended.slice(1);
    }
    if (this.#open !== null || selection.direction !== 'down') return;
    const roomBytes = roomForOthers(pools);
    if (!isOver(pools, roomBytes)) return;
    this.#open = { sinceMs: atMs, roomBytes };
    this.#roundTripMs = roundTripMs(selection, policy);
  }

  /**
   * The dwell time of a step down: `policy.dwellMs`, or a longer time that would have cost less. The cost is
   * added up over the remembered excursions and an excursion that never ends. An excursion that outlasts the
   * dwell costs the dwell, a switch down and a switch up. An excursion that ends earlier costs its own length.
   */
  dwellMs({ dwellMs }: SelectionPolicy): number {
    const lasted = this.#ended.map((one) => one.lastedMs);
    const costOf = (triedMs: number): number =>
      [...lasted, Number.POSITIVE_INFINITY].reduce(
        (sum, ms) =>
          sum + (ms <= triedMs ? Math.max(0, ms - dwellMs) : triedMs - dwellMs + this.#roundTripMs),
        0,
      );
    let best = dwellMs;
    for (const ms of lasted) {
      const triedMs = ms + SLACK_MS;
      if (triedMs > dwellMs && costOf(triedMs) < costOf(best)) best = triedMs;
    }
    return best;
  }

  /** Whether most excursions end within the dwell time. A step up then need not leave room for them. */
  areOutlasted(policy: SelectionPolicy): boolean {
    if (this.#ended.length === 0) return false;
    const dwellMs = this.dwellMs(policy);
    const outlasted = this.#ended.filter((one) => one.lastedMs <= dwellMs).length;
    return outlasted >= OUTLASTED_MIN * this.#ended.length;
  }
}

/** The cost of a step down and a step up: the time without a model, or with a lesser model. */
function roundTripMs({ chosen, pools }: Selection, { coolDownMs }: SelectionPolicy): number {
  const residentBytes = pools
    // Shared GPU memory is part of RAM and is counted there.
    .filter(({ pool }) => !isGpuShare(pool))
    .reduce((sum, { useBeforeBytes, othersBytes }) => sum + useBeforeBytes - othersBytes, 0);
  const downMs = (chosen === null ? 0 : loadTimeMs(chosen.loadOption)) + SETTLE_MS;
  const upMs = bytesToMs(residentBytes) + SETTLE_MS;
  return downMs + upMs + COOL_DOWN_SHARE * coolDownMs;
}

/** The most bytes that the others may use of each pool that the residents take memory from. */
function roomForOthers(pools: readonly PoolOutcome[]): ReadonlyMap<PoolName, number> {
  return new Map(
    pools.flatMap(({ pool, limitBytes, useBeforeBytes, othersBytes }) => {
      const residentBytes = useBeforeBytes - othersBytes;
      return residentBytes > 0 ? [[pool, limitBytes - residentBytes] as const] : [];
    }),
  );
}

function isOver(pools: readonly PoolOutcome[], roomBytes: ReadonlyMap<PoolName, number>): boolean {
  return pools.some(({ pool, othersBytes }) => {
    const room = roomBytes.get(pool);
    return room !== undefined && othersBytes > room;
  });
}
