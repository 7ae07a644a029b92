import type { Resources } from '@mai/memory-ledger';
import type { PoolOutcome, Selection } from '@mai/selector';
import type { Clock } from '../ports/clock.js';
import type { MonitorPort } from '../ports/monitor-port.js';
import type { WakeableSleep } from './wakeable-sleep.js';

/** Poll interval for RAM between rounds. */
const POLL_INTERVAL_MS = 150;
/** RAM is polled only when its use differs from a limit by less than this share of the total. */
const NEAR_RATIO = 0.25;

/** RAM at the last decision. */
interface Reference {
  readonly pool: PoolOutcome;
  readonly availableBytes: number;
}

/** Polls RAM between two rounds, so that the next round starts at once when a limit is passed. */
export class RamWatch {
  readonly #clock: Clock;
  readonly #readRam: MonitorPort['readRam'];
  #reference: Reference | null = null;

  constructor(clock: Clock, readRam: MonitorPort['readRam']) {
    this.#clock = clock;
    this.#readRam = readRam;
  }

  /**
   * Sets the RAM use that the next polls are compared with.
   *
   * @param resources - as measured. Yielded memory counts as used in the selection, but not in the polls.
   */
  decided({ pools }: Selection, { observable, ram }: Resources): void {
    const pool = pools.find((one) => one.pool === 'ram');
    const { availableBytes } = ram;
    const known = observable && availableBytes !== null && pool !== undefined;
    this.#reference = known && isNearLimit(pool) ? { pool, availableBytes } : null;
  }

  /** Sleeps for `ms`, or until it is woken or the use of RAM has passed a limit in either direction. */
  async sleep(sleeper: WakeableSleep, ms: number, signal: AbortSignal): Promise<void> {
    const clock = this.#clock;
    const readRam = this.#readRam;
    const reference = this.#reference;
    if (readRam === null || reference === null) {
      await sleeper.sleep(clock, ms, signal);
      return;
    }
    const { pool } = reference;
    const usedBytes = pool.useBeforeBytes + reference.availableBytes;
    const untilMs = clock.monotonicMs() + ms;
    for (let leftMs = ms; leftMs > 0; leftMs = untilMs - clock.monotonicMs()) {
      const woken = await sleeper.sleep(clock, Math.min(leftMs, POLL_INTERVAL_MS), signal);
      if (woken) return;
      try {
        const { availableBytes } = await readRam();
        if (availableBytes === null) continue;
        const useBytes = usedBytes - availableBytes;
        if (limitsPassed(pool, useBytes) !== limitsPassed(pool, pool.useBeforeBytes)) return;
      } catch {
        // Ignored here: the next round makes the same reading and reports the fault.
        await sleeper.sleep(clock, Math.max(0, untilMs - clock.monotonicMs()), signal);
        return;
      }
    }
  }
}

function isNearLimit(pool: PoolOutcome): boolean {
  return limitsOf(pool).some(
    (limitBytes) => Math.abs(pool.useBeforeBytes - limitBytes) < NEAR_RATIO * pool.totalBytes,
  );
}

function limitsPassed(pool: PoolOutcome, useBytes: number): number {
  return limitsOf(pool).filter((limitBytes) => useBytes > limitBytes).length;
}

function limitsOf({ limitBytes, hardLimitBytes }: PoolOutcome): readonly number[] {
  return [limitBytes, hardLimitBytes];
}
