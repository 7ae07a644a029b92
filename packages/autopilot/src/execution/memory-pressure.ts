import {
  HARD_LIMIT,
  isOverLimit,
  useOf,
  type ObservedResident,
  type Pool,
  type PoolName,
  type Resources,
  type SelectionPolicy,
} from '@mai/memory-ledger';
import type { Resident } from '@mai/selector';
import type { Clock } from '../ports/clock.js';
import { measuredPools } from '../pools/hard-limit.js';

/**
 * Above this share of a pool, memory has run out. The share is below 1, because the OS keeps a reserve and
 * never reports less than zero available bytes.
 */
const EXHAUSTED_RATIO = 0.99;
/** Above this share, memory has run out if use also grows. */
const CRITICAL_RATIO = 0.98;

/** How long a busy instance may go on while memory is short; milliseconds. */
export interface PressureDeadlines {
  /** While a pool is over the hard limit. */
  readonly emergencyDrainMs: number;
  /** Once memory has run out. */
  readonly criticalDrainMs: number;
}

/** Remembers when memory went over the hard limit, and when memory ran out. */
export class MemoryPressure {
  readonly #clock: Clock;
  readonly #deadlines: () => PressureDeadlines;
  #overSinceMs: number | null = null;
  #exhaustedSinceMs: number | null = null;
  #lastLeftBytes: number | null = null;

  constructor(clock: Clock, deadlines: () => PressureDeadlines) {
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  /** Takes one reading. Returns the measured pools that are over their hard limit. */
  observe(
    resources: Resources,
    residents: readonly ObservedResident[],
    policy: SelectionPolicy,
  ): readonly PoolName[] {
    const nowMs = this.#clock.monotonicMs();
    const pools = measuredPools(resources, residents, policy);
    const over = pools.filter((pool) => isOverLimit(pool, HARD_LIMIT));
    const leftBytes = pools.reduce((sum, pool) => sum + pool.totalBytes - useOf(pool), 0);
    const shrinks = this.#lastLeftBytes !== null && leftBytes < this.#lastLeftBytes;
    const exhausted = pools.some(
      (pool) =>
        isUsedBeyond(pool, EXHAUSTED_RATIO) || (shrinks && isUsedBeyond(pool, CRITICAL_RATIO)),
    );
    this.#lastLeftBytes = leftBytes;
    this.#overSinceMs = over.length === 0 ? null : (this.#overSinceMs ?? nowMs);
    this.#exhaustedSinceMs = exhausted ? (this.#exhaustedSinceMs ?? nowMs) : null;
    return over.map(({ name }) => name);
  }

  /**
   * Call it when an instance was unloaded. The deadline of the other busy instances begins anew: the last reading is from
   * before the unload, which may have freed enough.
   */
  unloaded(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#overSinceMs !== null) this.#overSinceMs = nowMs;
    if (this.#exhaustedSinceMs !== null) this.#exhaustedSinceMs = nowMs;
  }

  get isOverHardLimit(): boolean {
    return this.#overSinceMs !== null;
  }

  /** Whether the deadline for busy instances has passed, so that they are unloaded anyway. */
  get isDrainOver(): boolean {
    const { emergencyDrainMs, criticalDrainMs } = this.#deadlines();
    return (
      this.#hasLasted(this.#overSinceMs, emergencyDrainMs) ||
      this.#hasLasted(this.#exhaustedSinceMs, criticalDrainMs)
    );
  }

  /** While memory is short, counts our busy instances as idle once their deadline has passed. */
  withOverdueIdle(residents: readonly Resident[]): readonly Resident[] {
    if (!this.isDrainOver) return residents;
    return residents.map((one) => (one.foreign ? one : { ...one, busy: false }));
  }

  #hasLasted(sinceMs: number | null, forMs: number): boolean {
    return sinceMs !== null && this.#clock.monotonicMs() - sinceMs >= forMs;
  }
}

/**
 * Shared GPU memory may be used up to its cap. Its hard limit is 1, and applies in place of a lower `ratio`.
 */
function isUsedBeyond(pool: Pool, ratio: number): boolean {
  return useOf(pool) > pool.totalBytes * Math.max(ratio, pool.hardLimitRatio);
}
