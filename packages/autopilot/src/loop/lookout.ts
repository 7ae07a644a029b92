import type { Resources } from '@mai/memory-ledger';
import type { PoolOutcome, Selection } from '@mai/selector';
import type { AutopilotSettings } from './autopilot-options.js';
import type { Waker } from './waker.js';

/** Between a limit that is passed and the round that sees it lies no more than this. */
const GLANCE_INTERVAL_MS = 150;
/** Nothing takes this share of a machine's memory from one round to the next. */
const NEAR_RATIO = 0.25;

/** RAM at the last decision. */
interface Mark {
  readonly pool: PoolOutcome;
  readonly availableBytes: number;
}

/** Keeps an eye on RAM between two rounds, so that a limit that is passed need not wait for the next one. */
export class Lookout {
  readonly #settings: AutopilotSettings;
  #mark: Mark | null = null;

  constructor(settings: AutopilotSettings) {
    this.#settings = settings;
  }

  /** What the next looks are compared with; far from every limit there are none. */
  decided({ pools }: Selection, { observable, ram }: Resources): void {
    const pool = pools.find((one) => one.pool === 'ram');
    const { availableBytes } = ram;
    const known = observable && availableBytes !== null && pool !== undefined;
    this.#mark = known && isNearLimit(pool) ? { pool, availableBytes } : null;
  }

  /** Sleeps for so long; less where somebody wakes it, or RAM comes to lie on another side of a limit. */
  async sleep(waker: Waker, ms: number, signal: AbortSignal): Promise<void> {
    const { clock, monitor } = this.#settings;
    const { glance } = monitor;
    const mark = this.#mark;
    if (glance === null || mark === null) {
      await waker.sleep(clock, ms, signal);
      return;
    }
    const untilMs = clock.monotonicMs() + ms;
    for (let leftMs = ms; leftMs > 0; leftMs = untilMs - clock.monotonicMs()) {
      const woken = await waker.sleep(clock, Math.min(leftMs, GLANCE_INTERVAL_MS), signal);
      if (woken) return;
      try {
        const { availableBytes } = await glance();
        if (availableBytes === null) continue;
        const useBytes = mark.pool.useBeforeBytes + mark.availableBytes - availableBytes;
        if (sideOf(mark.pool, useBytes) !== sideOf(mark.pool, mark.pool.useBeforeBytes)) return;
      } catch {
        // The next round meets the same trouble, and reports it.
        await waker.sleep(clock, Math.max(0, untilMs - clock.monotonicMs()), signal);
        return;
      }
    }
  }
}

function isNearLimit({
  totalBytes,
  useBeforeBytes,
  limitRatio,
  hardLimitRatio,
}: PoolOutcome): boolean {
  const useRatio = useBeforeBytes / totalBytes;
  return [limitRatio, hardLimitRatio].some((ratio) => Math.abs(useRatio - ratio) < NEAR_RATIO);
}

function sideOf({ totalBytes, limitRatio, hardLimitRatio }: PoolOutcome, useBytes: number): number {
  return [limitRatio, hardLimitRatio].filter((ratio) => useBytes > ratio * totalBytes).length;
}
