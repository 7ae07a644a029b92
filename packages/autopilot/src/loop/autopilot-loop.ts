import type { Requirement, Selection } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';
import type { SelectionRequest } from '../assemble/selection-request.js';
import { cachePorts, type CachedPorts } from '../caching/cached-ports.js';
import { DecisionLogger } from '../decision-log/decision-logger.js';
import type { PublishedEvent, SwitchReason } from '../events/autopilot-event.js';
import { backOffMs } from '../failures/back-off.js';
import { RetryState } from '../failures/retry-state.js';
import { GrowthWatch } from '../growth/growth-watch.js';
import { JournalReader } from '../journal/journal-reader.js';
import { Leases } from '../leases/leases.js';
import { throwIfAborted } from '../ports/clock.js';
import { decideWithin } from '../timing/decide-on-ramp.js';
import type { AutopilotSettings } from './autopilot-options.js';
import type { AutopilotState } from './autopilot-state.js';
import { Decider, type Decision } from './decider.js';
import { MemoryPressure } from '../execution/memory-pressure.js';
import { Observer, type Observation } from './observer.js';
import { RamWatch } from './ram-watch.js';
import { reasonToAct } from './reason-to-act.js';
import { ResidentWatch } from './resident-watch.js';
import { SwitchExecutor } from '../execution/switch-executor.js';
import { isLateEnd } from '../execution/switch-progress.js';
import { createWakeableSleep } from './wakeable-sleep.js';

/** A decision to carry out now. */
interface Due extends Decision {
  readonly reason: SwitchReason;
  readonly request: SelectionRequest;
  readonly observation: Observation;
}

/** Runs the rounds of the autopilot: observe, decide, and switch when the decision is due. */
export class AutopilotLoop {
  readonly leases = new Leases();
  readonly #settings: AutopilotSettings;
  readonly #publish: (event: PublishedEvent) => void;
  readonly #cached: CachedPorts;
  readonly #journal: JournalReader;
  readonly #retries: RetryState;
  readonly #pressure: MemoryPressure;
  readonly #executor: SwitchExecutor;
  readonly #observer: Observer;
  readonly #decider: Decider;
  readonly #residents: ResidentWatch;
  readonly #ramWatch: RamWatch;
  readonly #logger: DecisionLogger;
  readonly #sleeper = createWakeableSleep();
  #decision: AutopilotState['decision'] = null;
  /** Whether the last round did nothing, and no switch waits for an instance to become idle. */
  #steady = false;
  #fault: unknown = null;
  #faults = 0;

  constructor(settings: AutopilotSettings, publish: (event: PublishedEvent) => void) {
    const { clock, monitor, random } = settings;
    this.#settings = settings;
    this.#publish = publish;
    this.#cached = cachePorts(settings, (error) => {
      publish({ type: 'catalog-rejected', error });
    });
    this.#journal = new JournalReader(settings, publish);
    this.#retries = new RetryState(clock, random, () => settings.timings);
    this.#pressure = new MemoryPressure(clock, () => settings.timings);
    this.#decider = new Decider(clock, () => settings.timings.observeIntervalMs);
    this.#ramWatch = new RamWatch(clock, monitor.readRam);
    this.#residents = new ResidentWatch(settings, publish);
    this.#logger = new DecisionLogger(settings.decisionLog);
    const sources = {
      cached: this.#cached,
      journal: this.#journal,
      leases: this.leases,
      growth: new GrowthWatch(),
    };
    this.#executor = new SwitchExecutor(
      settings,
      { ...sources, retries: this.#retries, pressure: this.#pressure },
      publish,
    );
    this.#observer = new Observer(settings, { ...sources, executor: this.#executor });
  }

  get state(): Omit<AutopilotState, 'status'> {
    const { journal } = this.#journal;
    return {
      decision: this.#decision,
      fault: this.#fault,
      breakerOpenUntilMs: this.#retries.breakerOpenUntilMs,
      putOffUntilMs: this.#retries.putOffUntilMs,
      failures: this.#retries.failures,
      pins: journal.pins,
      yields: journal.yields,
      leased: this.leases.leased,
      waiting: this.leases.waiting,
      idle: !this.#residents.wanted,
    };
  }

  get switching(): boolean {
    return this.#executor.switching;
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
    const { clock } = this.#settings;
    const startedMs = clock.monotonicMs();
    for (;;) {
      let waitMs: number | null = null;
      try {
        await this.#round(signal);
        if (this.#fault !== null) this.#publish({ type: 'recovered' });
        this.#fault = null;
        this.#faults = 0;
      } catch (error) {
        throwIfAborted(signal);
        this.#fault = error;
        this.#steady = false;
        this.#residents.forget();
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
      const dueMs = this.#decision?.verdict.waitMs ?? nextRoundMs;
      await this.#ramWatch.sleep(this.#sleeper, Math.min(nextRoundMs, dueMs), signal);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { clock } = this.#settings;
    const { changed, yieldsChanged } = await this.#journal.refresh(signal);
    const failures = this.#journal.takeFailures();
    if (failures !== null) this.#retries.adopt(failures);
    const considered = this.leases.requirements;
    const request = await this.#observer.request(signal);
    const steady = this.#steady && !changed && this.leases.waiting === 0;
    const { upgradeMarginRatio } = this.#decider;
    let observation = await this.#observe(request, {}, { steady, signal });
    let decided = this.#decider.decide({ ...observation.input, upgradeMarginRatio });
    let reason = this.#reasonToAct(decided, yieldsChanged);
    if (reason !== null && !observation.fresh) {
      // The list of residents may be out of date. Decide again with a new one before acting.
      observation = await this.#observe(request, {}, { steady: false, signal });
      decided = this.#decider.decide({ ...observation.input, upgradeMarginRatio }, decided);
      reason = this.#reasonToAct(decided, yieldsChanged);
    }
    const { input, selection, judged } = decided;
    const { verdict, observation: observed } = judged;
    const { timeToHardLimitMs } = observed;
    const ours = input.residents.some((one) => !one.foreign);
    this.#steady =
      reason === null &&
      this.#retries.putOffUntilMs === null &&
      !(this.#pressure.isOverHardLimit && ours);
    this.#decision = { atMs: clock.nowMs(), input, selection, verdict, timeToHardLimitMs };
    this.#ramWatch.decided(selection, observation.measured);
    this.#publish({ type: 'decided', input, selection, verdict, timeToHardLimitMs });
    this.#logger.decided({ atMs: clock.nowMs(), input, selection, ...judged }, reason !== null);
    if (reason === null) this.#answerWaiting(selection, considered);
    else await this.#switch({ ...decided, reason, request, observation }, signal);
  }

  #reasonToAct(
    { input, selection, judged }: Decision,
    yieldsChanged: boolean,
  ): SwitchReason | null {
    if (this.#settings.dryRun) return null;
    return reasonToAct(selection, judged.verdict, {
      yieldsChanged,
      wanted: this.#residents.wanted,
      waiting: this.leases.waiting,
      isHeldBack: () => this.#retries.isHeldBack(input.residents),
    });
  }

  async #switch(
    { reason, request, observation, input, limits }: Due,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#settings;
    const startedMs = clock.monotonicMs();
    const { upgradeMarginRatio } = input;
    let first: AssembledInput | null = observation.input;
    const switching = this.#executor.run({
      reason,
      policy: observation.input.policy,
      deviceIdentifier: request.deviceIdentifier ?? null,
      input: observation.input,
      observe: async (coolingDownUntilMs) => {
        // The first decision of the switch uses the logged input, so that a replay can repeat it.
        const options = { steady: false, signal };
        const next = first ?? (await this.#observe(request, coolingDownUntilMs, options)).input;
        first = null;
        return next;
      },
      decide: (next) => decideWithin({ ...next, upgradeMarginRatio }, limits),
      signal,
    });
    const result = await this.#journal.confirmDuring(switching);
    await this.#journal.keepFailures(this.#retries.failures, signal);
    this.#logger.finished({
      atMs: clock.nowMs(),
      reason,
      tookMs: clock.monotonicMs() - startedMs,
      result,
      before: observation.measured.ram.availableBytes,
    });
    // If this switch only finished an earlier switch, the cool-down of the earlier switch starts now.
    const late = result.report !== null && isLateEnd(result.report);
    this.#decider.switched(late ? this.#decider.lastDirection : result.direction);
    this.#residents.forget();
    if (result.report === null || result.report.outcome === 'released') this.#residents.release();
    this.#sleeper.wake();
  }

  async #observe(
    request: SelectionRequest,
    coolingDownUntilMs: Record<string, number>,
    options: { readonly steady: boolean; readonly signal: AbortSignal },
  ): Promise<Observation> {
    const resources = this.#decision?.input.resources ?? null;
    const coolDowns = { ...this.#retries.coolDowns(resources), ...coolingDownUntilMs };
    const observation = await this.#observer.observe(request, coolDowns, options);
    const { input, measured } = observation;
    this.#pressure.observe(measured, input.residents, input.policy);
    this.leases.observe(input);
    this.#residents.observe(input.residents, this.leases.waiting);
    return { ...observation, input: this.#withOverdue(input) };
  }

  /** While memory is short, counts our busy instances as idle once their drain deadline has passed. */
  #withOverdue(input: AssembledInput): AssembledInput {
    const { released } = this.#residents;
    const residents = this.#pressure.isDrainOver
      ? input.residents.map((one) => (one.foreign ? one : { ...one, busy: false }))
      : input.residents;
    return { ...input, residents, ...(released ? { steppingDown: true } : {}) };
  }

  /** Answers callers that wait for a lease, if no model will be loaded for them soon. */
  #answerWaiting(selection: Selection, considered: readonly Requirement[]): void {
    const { decision } = selection;
    const hopeless =
      this.#settings.dryRun ||
      decision === 'keep' ||
      decision === 'none' ||
      this.#retries.breakerOpenUntilMs !== null;
    if (hopeless && this.leases.waiting > 0) this.leases.answer(selection, considered);
  }
}
