import type { LoadConfig, Resources } from '@mai/memory-ledger';
import type { CachedPorts } from '../caching/cached-ports.js';
import type { PublishedEvent } from '../events/autopilot-event.js';
import type { RetryState } from '../failures/retry-state.js';
import type { GrowthWatch } from '../growth/growth-watch.js';
import type { JournalReader } from '../journal/journal-reader.js';
import type { Leases } from '../leases/leases.js';
import { throwIfAborted } from '../ports/clock.js';
import type { LoadFailure } from '../failures/load-failure.js';
import type { RunEvent } from '../switch/report/run-event.js';
import type { RunReport } from '../switch/report/run-report.js';
import { runSwitch } from '../switch/run-switch.js';
import type { AutopilotSettings } from '../autopilot-options.js';
import { startMemoryGuard } from './memory-guard.js';
import type { MemoryPressure } from './memory-pressure.js';
import { directionOf, MemoryRanOut, SwitchProgress, type SwitchResult } from './switch-progress.js';
import type { SwitchTask } from './switch-task.js';
import { watchDemand, type Demand } from './watch-demand.js';

interface Sources {
  readonly cached: CachedPorts;
  readonly leases: Leases;
  readonly growth: GrowthWatch;
  readonly journal: JournalReader;
  readonly retries: RetryState;
  readonly pressure: MemoryPressure;
}

/** Carries out one switch at a time. Watches memory meanwhile, and respects leases and pins. */
export class SwitchExecutor {
  readonly #settings: AutopilotSettings;
  readonly #sources: Sources;
  readonly #publish: (event: PublishedEvent) => void;
  #switching = false;
  #acceptedAs: Readonly<Record<string, LoadConfig>> = {};

  constructor(
    settings: AutopilotSettings,
    sources: Sources,
    publish: (event: PublishedEvent) => void,
  ) {
    this.#settings = settings;
    this.#sources = sources;
    this.#publish = publish;
  }

  get switching(): boolean {
    return this.#switching;
  }

  /** The load configuration that each instance was requested with, by instance identifier. */
  get acceptedAs(): Readonly<Record<string, LoadConfig>> {
    return this.#acceptedAs;
  }

  async run(task: SwitchTask): Promise<SwitchResult> {
    this.#switching = true;
    const { clock, timings, runtimeIsLocal } = this.#settings;
    const { pressure, cached, leases } = this.#sources;
    const startedMs = clock.monotonicMs();
    const { fileStamps } = this.#sources.retries;
    const abort = new AbortController();
    const onStop = (): void => {
      abort.abort(task.signal.reason);
    };
    task.signal.addEventListener('abort', onStop, { once: true });
    const progress = new SwitchProgress(task.input.residents);
    const demand = watchDemand(leases, progress, task);
    let emergency = pressure.isOverHardLimit;
    const guard =
      runtimeIsLocal && task.deviceIdentifier === null
        ? startMemoryGuard(this.#settings, {
            pressure,
            policy: task.policy,
            intervalMs: timings.observeIntervalMs,
            residents: () => progress.residents,
            onOverLimit: (pools, resources) => {
              if (!emergency) this.#publish({ type: 'emergency', pools });
              emergency = true;
              if (progress.loading !== null) abort.abort(new MemoryRanOut(pools, resources));
            },
          })
        : null;
    this.#publish({ type: 'switch-started', reason: task.reason });
    try {
      throwIfAborted(task.signal);
      const report = await this.#runSwitch(task, progress, abort.signal, demand);
      this.#learn(report, task, fileStamps);
      // Callers that have asked meanwhile come next. Otherwise the autopilot's own load would hold them up.
      if (report.outcome === 'cancelled') leases.takeOwnTurn();
      const tookMs = clock.monotonicMs() - startedMs;
      this.#publish({ type: 'switch-finished', reason: task.reason, report, tookMs });
      const { availableBytes } = progress;
      return { report, direction: directionOf(report), availableBytes };
    } catch (error) {
      throwIfAborted(task.signal);
      if (!(error instanceof MemoryRanOut)) throw error;
      const modelKey = progress.loading ?? '';
      this.#publish({ type: 'load-interrupted', modelKey, pools: error.pools });
      // Other programs have taken memory since the decision, so the new reading is recorded with the failure. With the
      // reading of the decision, memory that they give back would not count as relief.
      const message = `The load of ${modelKey} was stopped, because memory ran out. Free memory, or choose a smaller model or a shorter context.`;
      this.#fail({ modelKey, code: 'MEMORY_EXCEEDED', message }, error.resources, fileStamps);
      return { report: null, direction: null, availableBytes: null };
    } finally {
      task.signal.removeEventListener('abort', onStop);
      demand.end();
      await guard?.stop();
      leases.closed.endDrains();
      cached.invalidate();
      this.#switching = false;
    }
  }

  #runSwitch(
    task: SwitchTask,
    progress: SwitchProgress,
    signal: AbortSignal,
    { unwanted, overtaken, check }: Demand,
  ): Promise<RunReport> {
    const { timings, idle } = this.#settings;
    const { cached, journal, leases, pressure } = this.#sources;
    return runSwitch(cached.ports, {
      observe: task.observe,
      decide: task.decide,
      deviceIdentifier: task.deviceIdentifier,
      isLeased: (identifier) => leases.isLeased(identifier),
      isPinned: (instance) => journal.isPinned(instance),
      dryRun: false,
      drain: {
        // Other callers do not wait for a drain: the switch is put off instead.
        deadlineMs: () =>
          pressure.isDrainOver || (leases.waiting > 0 && !pressure.isOverHardLimit)
            ? 0
            : timings.drainDeadlineMs,
        force: () => pressure.isDrainOver,
        pollMs: timings.drainPollMs,
      },
      loadTimeoutMs: timings.loadTimeoutMs,
      ttlMs: idle === 'keep' ? null : undefined,
      emit: (event) => {
        this.#follow(event, progress);
        check();
      },
      signal,
      unwanted,
      overtaken,
    });
  }

  #follow(event: RunEvent, progress: SwitchProgress): void {
    progress.follow(event);
    if (event.type === 'decided') return;
    const { leases, growth, pressure } = this.#sources;
    if (event.type === 'draining') {
      leases.closed.drain(event.instanceIdentifier, pressure.isOverHardLimit);
    }
    if (event.type === 'loading') {
      growth.loads(event.instanceIdentifier, this.#settings.clock.nowMs());
    }
    // The instance's activity was read in this turn of the event loop. From now on no new lease is given on
    // the instance.
    if (event.type === 'unloading') {
      leases.closed.leave(event.instanceIdentifier);
      growth.unloads(event.instanceIdentifier);
    }
    if (event.type === 'unloaded') {
      this.#sources.pressure.unloaded();
      // Somebody else may load the next instance of this identifier.
      const { [event.instanceIdentifier]: _, ...others } = this.#acceptedAs;
      this.#acceptedAs = others;
    }
    if (event.type === 'loaded') {
      const { instanceIdentifier } = event.instance;
      this.#acceptedAs = { ...this.#acceptedAs, [instanceIdentifier]: event.loadConfig };
    }
    this.#publish({ type: 'switch-step', step: event });
  }

  #learn(
    { loaded, failures, outcome, busy }: RunReport,
    { reason, input }: SwitchTask,
    fileStamps: ReadonlyMap<string, string>,
  ): void {
    const { retries } = this.#sources;
    for (const { modelKey } of loaded) retries.succeeded(modelKey);
    for (const failure of failures) this.#fail(failure, input.resources, fileStamps);
    if (reason === 'REQUESTED') {
      // The next round tries again. Do not record a put-off here, because it would also hold back the autopilot's own switches.
      const { clock, timings } = this.#settings;
      const untilMs = clock.nowMs() + timings.observeIntervalMs;
      if (outcome === 'put-off') this.#publish({ type: 'put-off', untilMs, busy });
    } else if (outcome === 'put-off') {
      this.#publish({ type: 'put-off', untilMs: retries.putOff(busy), busy });
    } else {
      retries.resetPutOffs();
    }
  }

  #fail(
    failure: Pick<LoadFailure, 'modelKey' | 'code' | 'message' | 'hadRoom'>,
    resources: Resources,
    fileStamps: ReadonlyMap<string, string>,
  ): void {
    const untilMs = this.#sources.retries.failed(failure, resources, fileStamps);
    if (untilMs !== null) this.#publish({ type: 'breaker-opened', untilMs });
  }
}
