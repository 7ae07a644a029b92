import { backOffMs } from '../failures/back-off.js';
import type { PublishedEvent } from '../events/autopilot-event.js';
import { JournalReader } from '../journal/journal-reader.js';
import type { LeaseRequest } from '../request/lease-request.js';
import type { Leases } from '../leases/leases.js';
import { throwIfAborted } from '../ports/clock.js';
import type { AutopilotSettings } from '../autopilot-options.js';
import type { AutopilotState } from './autopilot-state.js';
import type { LeasePlan } from './plan-request.js';
import { RamWatch } from '../observe/ram-watch.js';
import { Round } from './round.js';
import { createWakeableSleep } from '../observe/wakeable-sleep.js';

/**
 * How long callers wait while each round fails, such as while the runtime restarts. After that they get the fault. With the default
 * back-off, this is the third round.
 */
const CALLERS_WAIT_IN_FAULT_MS = 2000;

/** Runs round after round, and waits between rounds. The wait grows with each fault in a row. */
export class AutopilotLoop {
  readonly #settings: AutopilotSettings;
  readonly #publish: (event: PublishedEvent) => void;
  readonly #journal: JournalReader;
  readonly #ramWatch: RamWatch;
  readonly #round: Round;
  readonly #sleeper = createWakeableSleep();
  #fault: unknown = null;
  #faults = 0;
  /** When the first fault in a row occurred, in monotonic milliseconds. */
  #faultSinceMs = 0;

  constructor(settings: AutopilotSettings, publish: (event: PublishedEvent) => void) {
    this.#settings = settings;
    this.#publish = publish;
    this.#journal = new JournalReader(settings, (journal) =>
      publish({ type: 'journal-changed', journal }),
    );
    this.#ramWatch = new RamWatch(settings.clock, settings.monitor.readRam);
    this.#round = new Round(settings, publish, {
      journal: this.#journal,
      ramWatch: this.#ramWatch,
      onWaiting: () => this.wake(),
    });
  }

  get state(): Omit<AutopilotState, 'status'> {
    return { ...this.#round.state, fault: this.#fault };
  }

  get leases(): Leases {
    return this.#round.leases;
  }

  get switching(): boolean {
    return this.#round.switching;
  }

  /** The decision for a request if it were made now. Loads and unloads nothing. */
  plan(request: LeaseRequest, signal: AbortSignal | null): Promise<LeasePlan> {
    return this.#round.plan(request, signal);
  }

  /** Starts the next round at once. */
  wake(): void {
    this.#sleeper.wake();
  }

  /**
   * Runs rounds until the signal fires, and then rejects with the signal's reason. Never rejects for another
   * reason.
   */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, runtime } = this.#settings;
    const stopListening = runtime.onEnded?.((ended) => {
      this.#publish({ type: 'resident-ended', ...ended });
      this.#round.residentEnded(ended);
      this.wake();
    });
    if (stopListening !== undefined)
      signal.addEventListener('abort', stopListening, { once: true });
    const startedMs = clock.monotonicMs();
    for (;;) {
      let waitMs: number | null = null;
      try {
        const again = await this.#round.run(signal);
        if (again) this.#sleeper.wake();
        if (this.#fault !== null) this.#publish({ type: 'recovered' });
        this.#fault = null;
        this.#faults = 0;
      } catch (error) {
        throwIfAborted(signal);
        this.#fault = error;
        this.#round.forget();
        const nowMs = clock.monotonicMs();
        if (this.#faults === 0) this.#faultSinceMs = nowMs;
        if (nowMs - this.#faultSinceMs >= CALLERS_WAIT_IN_FAULT_MS) this.leases.reject(error);
        this.#faults += 1;
        const { random, timings } = this.#settings;
        waitMs = backOffMs(timings.fault, this.#faults, random);
        this.#publish({ type: 'fault', error, retryAtMs: clock.nowMs() + waitMs });
      }
      if (waitMs !== null) {
        await this.#journal.confirmDuring(this.#sleeper.sleep(clock, waitMs, signal));
        continue;
      }
      // Rounds begin at multiples of the interval, however long a switch took.
      const { observeIntervalMs } = this.#settings.timings;
      const nextRoundMs =
        observeIntervalMs - ((clock.monotonicMs() - startedMs) % observeIntervalMs);
      const { decision } = this.#round.state;
      const dueMs = (decision?.target === null ? decision.verdict.waitMs : null) ?? nextRoundMs;
      await this.#ramWatch.sleep(this.#sleeper, Math.min(nextRoundMs, dueMs), signal);
    }
  }
}
