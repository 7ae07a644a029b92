import type { LoadConfig, Resources, SelectionPolicy } from '@mai/memory-ledger';
import type { Resident, Selection, SelectionInput } from '@mai/selector';
import type { AssembledInput } from '../assemble/assemble-selection-input.js';
import { backOffMs } from '../failures/back-off.js';
import { breakerAfterFailure, CLOSED_BREAKER, isBreakerOpen } from '../failures/breaker.js';
import {
  coolDowns,
  recordFailure,
  recordSuccess,
  type FailureLedger,
} from '../failures/failure-ledger.js';
import { throwIfAborted } from '../ports/clock.js';
import type { LoadFailure } from '../switch/load-failure.js';
import type { RunEvent } from '../switch/run-event.js';
import type { RunReport } from '../switch/run-report.js';
import { runSwitch } from '../switch/run-switch.js';
import type { PublishedEvent, SwitchReason } from './autopilot-event.js';
import type { AutopilotSettings } from './autopilot-options.js';
import type { AutopilotState } from './autopilot-state.js';
import type { CachedPorts } from './cached-ports.js';
import { startEmergencyGuard } from './emergency-guard.js';
import type { JournalKeeper } from './journal-keeper.js';
import type { LeaseDesk } from './leases.js';
import { directionOf, MemoryRanOut, Progress, type SwitchResult } from './switch-progress.js';

interface SwitchTask {
  readonly reason: SwitchReason;
  readonly policy: SelectionPolicy;
  readonly deviceIdentifier: string | null;
  /** Memory is over the hard limit now. */
  readonly emergency: boolean;
  readonly resources: Resources;
  readonly observe: (coolingDownUntilMs: Record<string, number>) => Promise<AssembledInput>;
  readonly decide: (input: SelectionInput) => Selection;
  readonly signal: AbortSignal;
}

/** Carries switches out one at a time and remembers what went wrong with them. */
export class SwitchDesk {
  readonly #settings: AutopilotSettings;
  readonly #cached: CachedPorts;
  readonly #leases: LeaseDesk;
  readonly #journal: JournalKeeper;
  readonly #publish: (event: PublishedEvent) => void;
  #failures: FailureLedger = {};
  #breaker = CLOSED_BREAKER;
  #putOffs = 0;
  #putOffUntilMs: number | null = null;
  #putOffFor: readonly string[] = [];
  /** Since when memory has been over the hard limit, through switches that were put off; null while it is not. */
  #overSinceMs: number | null = null;
  #switching = false;
  #acceptedAs: Readonly<Record<string, LoadConfig>> = {};

  constructor(
    settings: AutopilotSettings,
    sources: {
      readonly cached: CachedPorts;
      readonly leases: LeaseDesk;
      readonly journal: JournalKeeper;
    },
    publish: (event: PublishedEvent) => void,
  ) {
    this.#settings = settings;
    this.#cached = sources.cached;
    this.#leases = sources.leases;
    this.#journal = sources.journal;
    this.#publish = publish;
  }

  get switching(): boolean {
    return this.#switching;
  }

  get failures(): FailureLedger {
    return this.#failures;
  }

  get acceptedAs(): Readonly<Record<string, LoadConfig>> {
    return this.#acceptedAs;
  }

  get breakerOpenUntilMs(): number | null {
    return isBreakerOpen(this.#breaker, this.#settings.clock.monotonicMs())
      ? this.#toEpoch(this.#breaker.openUntilMs)
      : null;
  }

  get putOffUntilMs(): number | null {
    const untilMs = this.#putOffUntilMs;
    return untilMs !== null && this.#settings.clock.monotonicMs() < untilMs
      ? this.#toEpoch(untilMs)
      : null;
  }

  /** What had failed before a restart. */
  adopt(failures: FailureLedger | null): void {
    if (failures !== null) this.#failures = failures;
  }

  /** Whether nothing is to be tried for now. What a switch was put off for may be over sooner. */
  heldBack(residents: readonly Resident[]): boolean {
    if (this.breakerOpenUntilMs !== null) return true;
    if (this.putOffUntilMs === null) return false;
    const busy = residents.some(
      (one) => one.busy && this.#putOffFor.includes(one.instanceIdentifier),
    );
    if (!busy) this.#putOffUntilMs = null;
    return busy;
  }

  /** Until when each model that failed is left alone, given what the machine had last. */
  coolDowns(last: AutopilotState['decision']): Record<string, number> {
    const resources = last?.input.resources ?? null;
    return coolDowns(this.#failures, this.#settings.clock.nowMs(), resources);
  }

  /** Memory is below the hard limit: the next emergency is another one. */
  relieve(): void {
    this.#overSinceMs = null;
  }

  async run(task: SwitchTask): Promise<SwitchResult> {
    this.#switching = true;
    const { clock, timings } = this.#settings;
    const startedMs = clock.monotonicMs();
    const breakOff = new AbortController();
    const onStop = (): void => {
      breakOff.abort(task.signal.reason);
    };
    task.signal.addEventListener('abort', onStop, { once: true });
    const progress = new Progress();
    let emergency = task.emergency;
    this.#overSinceMs = emergency ? (this.#overSinceMs ?? startedMs) : null;
    const guard = startEmergencyGuard(this.#settings, {
      policy: task.policy,
      timings,
      watch: this.#settings.runtimeIsLocal && task.deviceIdentifier === null,
      overSinceMs: this.#overSinceMs,
      onOverLimit: (pools) => {
        if (!emergency) this.#publish({ type: 'emergency', pools });
        emergency = true;
        if (progress.loading !== null) breakOff.abort(new MemoryRanOut(pools));
      },
    });
    this.#publish({ type: 'switch-started', reason: task.reason });
    try {
      throwIfAborted(task.signal);
      const report = await runSwitch(this.#cached.ports, {
        observe: task.observe,
        decide: task.decide,
        deviceIdentifier: task.deviceIdentifier,
        isLeased: (identifier) => this.#leases.isLeased(identifier),
        isPinned: (instance) => this.#journal.isPinned(instance),
        dryRun: false,
        drain: { deadlineMs: guard.deadlineMs, force: guard.force, pollMs: timings.drainPollMs },
        loadTimeoutMs: timings.loadTimeoutMs,
        ttlMs: this.#settings.idle === 'keep' ? null : undefined,
        emit: (event) => {
          this.#follow(event, progress);
        },
        signal: breakOff.signal,
      });
      this.#learn(report, task.resources);
      const tookMs = clock.monotonicMs() - startedMs;
      this.#publish({ type: 'switch-finished', reason: task.reason, report, tookMs });
      return {
        report,
        direction: directionOf(report),
        availableBytes: progress.availableBytes,
      };
    } catch (error) {
      throwIfAborted(task.signal);
      if (!(error instanceof MemoryRanOut)) throw error;
      const modelKey = progress.loading ?? '';
      this.#publish({ type: 'load-interrupted', modelKey, pools: error.pools });
      this.#fail({ modelKey, code: 'MEMORY_EXCEEDED' }, task.resources);
      return { report: null, direction: null, availableBytes: null };
    } finally {
      task.signal.removeEventListener('abort', onStop);
      await guard.stop();
      this.#overSinceMs = guard.overSinceMs();
      this.#cached.invalidate();
      this.#switching = false;
    }
  }

  #follow(event: RunEvent, progress: Progress): void {
    progress.follow(event);
    if (event.type === 'decided') return;
    // The last look at its state was in this very turn: from here on it is not lent out.
    if (event.type === 'unloading') this.#leases.leave(event.instanceIdentifier);
    if (event.type === 'loaded') {
      const { instanceIdentifier } = event.instance;
      this.#acceptedAs = { ...this.#acceptedAs, [instanceIdentifier]: event.loadConfig };
    }
    this.#publish({ type: 'switch-step', step: event });
  }

  #learn(report: RunReport, resources: Resources): void {
    for (const { modelKey } of report.loaded) {
      this.#failures = recordSuccess(this.#failures, modelKey);
    }
    for (const failure of report.failures) this.#fail(failure, resources);
    if (report.outcome !== 'put-off') {
      this.#putOffs = 0;
      this.#putOffUntilMs = null;
      return;
    }
    const { clock, random, timings } = this.#settings;
    this.#putOffs += 1;
    this.#putOffFor = report.busy;
    this.#putOffUntilMs = clock.monotonicMs() + backOffMs(timings.putOff, this.#putOffs, random);
    const untilMs = this.#toEpoch(this.#putOffUntilMs);
    this.#publish({ type: 'put-off', untilMs, busy: report.busy });
  }

  #fail(failure: Pick<LoadFailure, 'modelKey' | 'code'>, resources: Resources): void {
    const { clock, random, timings } = this.#settings;
    this.#failures = recordFailure(this.#failures, failure, {
      nowMs: clock.nowMs(),
      resources,
      backOff: timings.failure,
      random,
    });
    const nowMs = clock.monotonicMs();
    const wasOpen = isBreakerOpen(this.#breaker, nowMs);
    this.#breaker = breakerAfterFailure(this.#breaker, timings.breaker, nowMs);
    if (!wasOpen && isBreakerOpen(this.#breaker, nowMs)) {
      this.#publish({
        type: 'breaker-opened',
        untilMs: this.#toEpoch(this.#breaker.openUntilMs),
      });
    }
  }

  #toEpoch(monotonicMs: number | null): number {
    const { clock } = this.#settings;
    return clock.nowMs() + ((monotonicMs ?? 0) - clock.monotonicMs());
  }
}
