import type { Resident } from '@mai/selector';
import type { PublishedEvent } from '../events/autopilot-event.js';
import type { Clock } from '../ports/clock.js';

interface Drain {
  readonly residents: readonly Pick<Resident, 'instanceIdentifier' | 'modelKey'>[];
  readonly sinceMs: number;
  readonly active: boolean;
}

/** The times of a drain, in milliseconds. */
interface DrainTimings {
  /** For how long the residents get no new lease. */
  readonly deadlineMs: number;
  /** How long they get leases again, before the next drain begins. */
  readonly pauseMs: number;
}

/**
 * The residents that waiting callers need to become idle. While a resident is drained, it gets no new lease.
 * The rounds go on meanwhile, so that other callers do not wait for the drain.
 */
export class RequestDrains {
  readonly #clock: Clock;
  readonly #timings: () => DrainTimings;
  readonly #publish: (event: PublishedEvent) => void;
  readonly #drains = new Map<string, Drain>();

  constructor(clock: Clock, timings: () => DrainTimings, publish: (event: PublishedEvent) => void) {
    this.#clock = clock;
    this.#timings = timings;
    this.#publish = publish;
  }

  isDrained(instanceIdentifier: string): boolean {
    return [...this.#drains.values()].some(
      ({ active, residents }) =>
        active && residents.some((one) => one.instanceIdentifier === instanceIdentifier),
    );
  }

  /** Drains residents for a target. Call it in each turn of the target that waits for them. */
  drain(key: string, residents: Drain['residents']): void {
    const nowMs = this.#clock.monotonicMs();
    const { deadlineMs, pauseMs } = this.#timings();
    const sinceMs = this.#drains.get(key)?.sinceMs ?? nowMs;
    const waitedMs = (nowMs - sinceMs) % (deadlineMs + pauseMs);
    const active = waitedMs < deadlineMs;
    const before = this.#drained();
    this.#drains.set(key, { residents, sinceMs, active });
    if (active) {
      for (const { instanceIdentifier, modelKey } of residents) {
        const step = {
          type: 'draining',
          instanceIdentifier,
          modelKey,
          waitedMs,
          deadlineMs,
        } as const;
        this.#publish({ type: 'switch-step', step });
      }
    }
    this.#publishEnd(before);
  }

  /** Ends the drain of a target, if it has one. */
  end(key: string): void {
    const before = this.#drained();
    if (this.#drains.delete(key)) this.#publishEnd(before);
  }

  /** Ends the drains of targets that nobody waits for. */
  endExcept(keys: ReadonlySet<string>): void {
    for (const key of this.#drains.keys()) if (!keys.has(key)) this.end(key);
  }

  #drained(): readonly string[] {
    return [...this.#drains.values()].flatMap(({ active, residents }) =>
      active ? residents.map((one) => one.instanceIdentifier) : [],
    );
  }

  #publishEnd(before: readonly string[]): void {
    const ended = [...new Set(before)].filter((identifier) => !this.isDrained(identifier));
    if (ended.length > 0) this.#publish({ type: 'drain-ended', instanceIdentifiers: ended });
  }
}
