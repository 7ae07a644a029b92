import type { Requirement, Selection } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';
import type { SelectionRequest } from '../assemble/selection-request.js';
import { cachePorts } from '../caching/cached-ports.js';
import { DecisionLogger } from '../decision-log/decision-logger.js';
import type { PublishedEvent, SwitchReason } from '../events/autopilot-event.js';
import { MemoryPressure } from '../execution/memory-pressure.js';
import { SwitchExecutor } from '../execution/switch-executor.js';
import { isLateEnd } from '../execution/switch-progress.js';
import { RetryState } from '../failures/retry-state.js';
import { GrowthWatch } from '../growth/growth-watch.js';
import type { JournalReader } from '../journal/journal-reader.js';
import { Leases } from '../leases/leases.js';
import { decideWithin } from '../timing/decide-on-ramp.js';
import type { AutopilotSettings } from './autopilot-options.js';
import type { AutopilotState } from './autopilot-state.js';
import { Decider, type Decision } from './decider.js';
import { Observer, type Observation } from './observer.js';
import type { RamWatch } from './ram-watch.js';
import { reasonToAct } from './reason-to-act.js';
import { ResidentWatch } from './resident-watch.js';

/** A decision to carry out now. */
interface Due extends Decision {
  readonly reason: SwitchReason;
  readonly request: SelectionRequest;
  readonly observation: Observation;
}

/** Runs single rounds of the autopilot: observe, decide, and switch when the decision is due. */
export class Round {
  readonly leases = new Leases();
  readonly #settings: AutopilotSettings;
  readonly #publish: (event: PublishedEvent) => void;
  readonly #journal: JournalReader;
  readonly #ramWatch: RamWatch;
  readonly #retries: RetryState;
  readonly #pressure: MemoryPressure;
  readonly #executor: SwitchExecutor;
  readonly #observer: Observer;
  readonly #decider: Decider;
  readonly #residents: ResidentWatch;
  readonly #logger: DecisionLogger;
  #decision: AutopilotState['decision'] = null;
  /** Whether the last round did nothing, and no switch waits for an instance to become idle. */
  #steady = false;

  constructor(
    settings: AutopilotSettings,
    publish: (event: PublishedEvent) => void,
    { journal, ramWatch }: { readonly journal: JournalReader; readonly ramWatch: RamWatch },
  ) {
    const { clock, random } = settings;
    this.#settings = settings;
    this.#publish = publish;
    this.#journal = journal;
    this.#ramWatch = ramWatch;
    const cached = cachePorts(settings, (error) => {
      publish({ type: 'catalog-rejected', error });
    });
    this.#retries = new RetryState(clock, random, () => settings.timings);
    this.#pressure = new MemoryPressure(clock, () => settings.timings);
    this.#decider = new Decider(clock, () => settings.timings.observeIntervalMs);
    this.#residents = new ResidentWatch(settings, publish);
    this.#logger = new DecisionLogger(settings.decisionLog);
    const growth = new GrowthWatch();
    const sources = { cached, journal, leases: this.leases, growth };
    this.#executor = new SwitchExecutor(
      settings,
      { ...sources, retries: this.#retries, pressure: this.#pressure },
      publish,
    );
    this.#observer = new Observer(settings, { ...sources, executor: this.#executor });
  }

  get state(): Omit<AutopilotState, 'status' | 'fault'> {
    const { journal } = this.#journal;
    return {
      decision: this.#decision,
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

  /** The last decision; null before the first. */
  get decision(): AutopilotState['decision'] {
    return this.#decision;
  }

  get switching(): boolean {
    return this.#executor.switching;
  }

  /** Runs one round. Resolves to whether it has switched. Then the next round starts at once. */
  async run(signal: AbortSignal): Promise<boolean> {
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
      // The list of residents may be out of date. Decide again with a new list before acting.
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
    return reason !== null;
  }

  /** Call after a round has thrown. The next round then lists the residents again. */
  forget(): void {
    this.#steady = false;
    this.#residents.forget();
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
