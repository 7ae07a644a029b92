import type { Resources } from '@mai/memory-ledger';
import type { Resident } from '@mai/selector';
import type { Clock } from '../ports/clock.js';
import type { CatalogReading } from '../ports/catalog-port.js';
import type { LoadFailure } from './load-failure.js';
import { backOffMs, type BackOffPolicy } from './back-off.js';
import {
  breakerAfterFailure,
  CLOSED_BREAKER,
  isBreakerOpen,
  type BreakerPolicy,
} from './breaker.js';
import {
  coolDowns,
  recordCrash,
  recordFailure,
  recordSuccess,
  withoutChangedFiles,
  type FailureLedger,
} from './failure-ledger.js';

/** Failures that concern this model or its settings only, so the breaker does not count them. */
const OF_ONE_MODEL: readonly LoadFailure['code'][] = [
  'LOAD_REFUSED',
  'MODEL_NOT_FOUND',
  'FILE_REFUSED',
];

/** The waits before a failed operation is tried again. */
interface RetryTimings {
  readonly putOff: BackOffPolicy;
  readonly failure: BackOffPolicy;
  readonly breaker: BreakerPolicy;
}

/** Remembers failed loads and put-off switches, and when they may be tried again. */
export class RetryState {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #timings: () => RetryTimings;
  #failures: FailureLedger = {};
  /** The failures of loads with a longer context than was needed. Not kept in the journal. */
  #roomFailures: FailureLedger = {};
  #fileStamps: ReadonlyMap<string, string> = new Map();
  #breaker = CLOSED_BREAKER;
  #putOffs = 0;
  #putOffUntilMs: number | null = null;
  #putOffFor: readonly string[] = [];

  constructor(clock: Clock, random: () => number, timings: () => RetryTimings) {
    this.#clock = clock;
    this.#random = random;
    this.#timings = timings;
  }

  get failures(): FailureLedger {
    return this.#failures;
  }

  /** The files that the catalog has named so far, by model key. */
  get fileStamps(): ReadonlyMap<string, string> {
    return this.#fileStamps;
  }

  /** Epoch milliseconds; null while the breaker is closed. */
  get breakerOpenUntilMs(): number | null {
    const { openUntilMs } = this.#breaker;
    return openUntilMs !== null && isBreakerOpen(this.#breaker, this.#clock.monotonicMs())
      ? this.#toEpoch(openUntilMs)
      : null;
  }

  /** Epoch milliseconds; null while no switch is put off. */
  get putOffUntilMs(): number | null {
    const untilMs = this.#putOffUntilMs;
    return untilMs !== null && this.#clock.monotonicMs() < untilMs ? this.#toEpoch(untilMs) : null;
  }

  /** Takes over the failures from before a restart. */
  adopt(failures: FailureLedger): void {
    this.#failures = failures;
  }

  /** Whether switches are held back for now. A put-off ends early when its busy instances are idle. */
  isHeldBack(residents: readonly Resident[]): boolean {
    if (this.breakerOpenUntilMs !== null) return true;
    if (this.putOffUntilMs === null) return false;
    const busy = residents.some(
      (one) => one.busy && this.#putOffFor.includes(one.instanceIdentifier),
    );
    if (!busy) this.#putOffUntilMs = null;
    return busy;
  }

  /** Takes over a reading of the catalog. Forgets the failures of files that have changed. */
  read({ chain }: Pick<CatalogReading, 'chain'>): void {
    const latest = new Map(this.#fileStamps);
    for (const { modelKey, fileStamp } of chain)
      if (fileStamp !== null) latest.set(modelKey, fileStamp);
    this.#fileStamps = latest;
    this.#failures = withoutChangedFiles(this.#failures, latest);
    this.#roomFailures = withoutChangedFiles(this.#roomFailures, latest);
  }

  /** For each model that failed: the end of the time in which it is not tried, in epoch milliseconds. */
  coolDowns(resources: Resources | null): Record<string, number> {
    return coolDowns(this.#failures, this.#clock.nowMs(), resources);
  }

  /** The models that get no longer context than is needed for now, because their last load with one failed. */
  withoutRoom(resources: Resources | null): readonly string[] {
    return Object.keys(coolDowns(this.#roomFailures, this.#clock.nowMs(), resources));
  }

  succeeded(modelKey: string): void {
    this.#failures = recordSuccess(this.#failures, modelKey, this.#clock.nowMs());
  }

  /**
   * Counts a failed load. If it opens the breaker, returns the end of the pause in epoch milliseconds;
   * otherwise null. A load with a longer context than was needed opens no breaker.
   *
   * @param fileStamps - the files before the load began.
   */
  failed(
    failure: Pick<LoadFailure, 'modelKey' | 'code' | 'message' | 'hadRoom'>,
    resources: Resources,
    fileStamps: ReadonlyMap<string, string>,
  ): number | null {
    const timings = this.#timings();
    const facts = {
      nowMs: this.#clock.nowMs(),
      resources,
      backOff: timings.failure,
      random: this.#random,
      fileStamp: fileStamps.get(failure.modelKey) ?? null,
    };
    if (failure.hadRoom === true) {
      this.#roomFailures = recordFailure(this.#roomFailures, failure, facts);
      return null;
    }
    this.#failures = recordFailure(this.#failures, failure, facts);
    if (OF_ONE_MODEL.includes(failure.code)) return null;
    const wasOpen = this.breakerOpenUntilMs !== null;
    this.#breaker = breakerAfterFailure(this.#breaker, timings.breaker, this.#clock.monotonicMs());
    return wasOpen ? null : this.breakerOpenUntilMs;
  }

  /** Counts a crash of a model's engine after its load. */
  crashed(modelKey: string): void {
    this.#failures = recordCrash(this.#failures, modelKey, {
      nowMs: this.#clock.nowMs(),
      backOff: this.#timings().failure,
      random: this.#random,
      fileStamp: this.#fileStamps.get(modelKey) ?? null,
    });
  }

  /** Puts the switch off. Returns the end of the wait in epoch milliseconds. */
  putOff(busy: readonly string[]): number {
    this.#putOffs += 1;
    this.#putOffFor = busy;
    const waitMs = backOffMs(this.#timings().putOff, this.#putOffs, this.#random);
    this.#putOffUntilMs = this.#clock.monotonicMs() + waitMs;
    return this.#toEpoch(this.#putOffUntilMs);
  }

  /** Call after a switch that was not put off: the next put-off starts with the shortest wait. */
  resetPutOffs(): void {
    this.#putOffs = 0;
    this.#putOffUntilMs = null;
  }

  #toEpoch(monotonicMs: number): number {
    return this.#clock.nowMs() + (monotonicMs - this.#clock.monotonicMs());
  }
}
