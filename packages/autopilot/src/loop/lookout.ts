import type { PoolOutcome, Resources, Selection } from '@mai/selector';
import type { AutopilotSettings } from './autopilot-options.js';
import type { Waker } from './waker.js';

/** Between a limit that is passed and the round that sees it lies no more than this. */
const GLANCE_INTERVAL_MS = 150;

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

  /** What the next looks are compared with. */
  decided({ pools }: Selection, { observable, ram }: Resources): void {
    const pool = pools.find((one) => one.pool === 'ram');
    const { availableBytes } = ram;
    this.#mark =
      pool === undefined || !observable || availableBytes === null
        ? null
        : { pool, availableBytes };
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

function sideOf({ totalBytes, limitRatio, hardLimitRatio }: PoolOutcome, useBytes: number): number {
  return [limitRatio, hardLimitRatio].filter((ratio) => useBytes > ratio * totalBytes).length;
}
