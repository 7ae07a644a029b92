import type { AssembledInput } from '../assemble/join-footprints.js';
import { cachePorts } from '../caching/cached-ports.js';
import { DecisionLogger } from '../decision-log/decision-logger.js';
import type { PublishedEvent, SwitchReason } from '../events/autopilot-event.js';
import { MemoryPressure } from '../execution/memory-pressure.js';
import { SwitchExecutor } from '../execution/switch-executor.js';
import { isLateEnd } from '../execution/switch-progress.js';
import { RetryState } from '../failures/retry-state.js';
import { GrowthWatch } from '../growth/growth-watch.js';
import type { JournalReader } from '../journal/journal-reader.js';
import { createLeaseParts, type LeaseParts } from '../leases/lease-parts.js';
import type { LeaseRequest } from '../request/lease-request.js';
import type { Leases } from '../leases/leases.js';
import { IdleForecast } from '../timing/idle-forecast.js';
import { decideWithin } from '../timing/decide-on-ramp.js';
import type { EndedResident } from '../ports/runtime-port.js';
import type { AutopilotSettings } from '../autopilot-options.js';
import type { AutopilotState } from './autopilot-state.js';
import { Decider } from './decider.js';
import { Observer, type AskedFor, type Observation } from '../observe/observer.js';
import { RequestPlanner, type LeasePlan } from './plan-request.js';
import type { RamWatch } from '../observe/ram-watch.js';
import { ResidentWatch } from '../observe/resident-watch.js';
import { RoundDecision, type DecidedRound } from './round-decision.js';
import { withRetainedPinned } from './spare-retained.js';

/** A decision to carry out now. */
interface Due extends DecidedRound {
  readonly reason: SwitchReason;
  readonly asked: AskedFor;
}

/** Runs single rounds of the autopilot: observe, decide, and switch when the decision is due. */
export class Round {
  readonly leases: Leases;
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
  readonly #growth = new GrowthWatch();
  readonly #idle = new IdleForecast();
  readonly #planner: RequestPlanner;
  readonly #leaseParts: LeaseParts;
  readonly #decisions: RoundDecision;
  #decision: AutopilotState['decision'] = null;
  /** The input of the last observation; null before the first. */
  #observed: AssembledInput | null = null;
  /** Whether yields have changed since the last of the autopilot's own turns. */
  #yieldsChanged = false;
  /** Whether a resident has ended since the last round began. */
  #residentEnded = false;
  /** Whether the last round did nothing, and no switch waits for an instance to become idle. */
  #steady = false;

  constructor(
    settings: AutopilotSettings,
    publish: (event: PublishedEvent) => void,
    {
      journal,
      ramWatch,
      onWaiting,
    }: {
      readonly journal: JournalReader;
      readonly ramWatch: RamWatch;
      /** Called when a caller begins to wait for a lease. */
      readonly onWaiting: () => void;
    },
  ) {
    this.#settings = settings;
    this.#publish = publish;
    this.#journal = journal;
    this.#ramWatch = ramWatch;
    this.#retries = new RetryState(settings.clock, settings.random, () => settings.timings);
    const onRejected = (error: unknown) => publish({ type: 'catalog-rejected', error });
    const cached = cachePorts(settings, onRejected, (reading) => this.#retries.read(reading));
    this.#pressure = new MemoryPressure(settings.clock, () => settings.timings);
    this.#decider = new Decider(settings.clock, () => settings.timings.observeIntervalMs);
    this.#residents = new ResidentWatch(settings, publish);
    this.#logger = new DecisionLogger(settings.decisionLog);
    this.#leaseParts = createLeaseParts(settings, cached.ports.catalog, publish, onWaiting);
    const { leases, targets, drains } = this.#leaseParts;
    this.leases = leases;
    this.#decisions = new RoundDecision(settings, {
      decider: this.#decider,
      retries: this.#retries,
      residents: this.#residents,
      leases,
      drains,
    });
    const sources = { cached, journal, leases, targets, growth: this.#growth };
    this.#planner = new RequestPlanner(settings, {
      ...sources,
      idle: this.#idle,
      retries: this.#retries,
      decider: this.#decider,
    });
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

  get switching(): boolean {
    return this.#executor.switching;
  }

  /** The decision for a request if it were made now. Loads and unloads nothing. */
  plan(request: LeaseRequest, signal: AbortSignal | null): Promise<LeasePlan> {
    return this.#planner.plan(request, this.#observed, signal);
  }

  /** Runs one round. Resolves to whether the next round starts at once, because it has switched or callers wait. */
  async run(signal: AbortSignal): Promise<boolean> {
    const { changed, yieldsChanged } = await this.#journal.refresh(signal);
    const failures = this.#journal.takeFailures();
    if (failures !== null) this.#retries.adopt(failures);
    this.#yieldsChanged ||= yieldsChanged;
    if (yieldsChanged) this.#decisions.yieldsGrew();
    const { isOverHardLimit } = this.#pressure;
    this.#leaseParts.drains.endExcept(this.leases.waitingKeys);
    let asked = await this.#observer.request(
      this.#yieldsChanged ? this.leases.takeOwnTurn() : this.leases.takeTurn(isOverHardLimit),
      signal,
    );
    const steady = this.#steady && !changed && !this.leases.mustList && !this.#residentEnded;
    if (this.#residentEnded) this.#residents.forget();
    this.#residentEnded = false;
    let observation = await this.#observe(asked, {}, { steady, signal });
    if (asked.turn.target !== null && this.#pressure.isOverHardLimit && !isOverHardLimit) {
      // An emergency does not wait for the turns of callers.
      asked = await this.#observer.request(this.leases.takeOwnTurn(), signal);
      observation = await this.#observe(asked, {}, { steady: false, signal });
    }
    const { turn } = asked;
    const reasonFor = ({ decided }: DecidedRound) =>
      this.#decisions.reasonToAct(turn, decided, this.#yieldsChanged);
    let round = this.#decisions.decide(asked, observation, null);
    let reason = reasonFor(round);
    if (reason !== null && !observation.fresh) {
      // The list of residents may be out of date. Decide again with a new list before acting.
      observation = await this.#observe(asked, {}, { steady: false, signal });
      round = this.#decisions.decide(asked, observation, round.decided);
      reason = reasonFor(round);
    }
    if (turn.target === null) this.#yieldsChanged = false;
    const { input, selection, judged } = round.decided;
    const ours = input.residents.some((one) => !one.foreign);
    this.#steady =
      reason === null &&
      this.#retries.putOffUntilMs === null &&
      !(this.#pressure.isOverHardLimit && ours);
    const { target, key } = turn;
    const atMs = this.#settings.clock.nowMs();
    const logged = { atMs, input, selection, ...judged, target, key };
    const id = this.#decisions.isUnwanted(turn, round.decided)
      ? null
      : this.#logger.decided(logged, reason !== null);
    const { timeToHardLimitMs } = judged.observation;
    const decided = { target, input, selection, verdict: judged.verdict, timeToHardLimitMs };
    this.#decision = { atMs, id, ...decided };
    this.#ramWatch.decided(selection, observation.measured);
    this.#publish({ type: 'decided', id, ...decided });
    this.leases.decided(turn, id);
    this.#decisions.serve(turn, selection, input);
    if (reason !== null) {
      await this.#switch({ ...round, reason, asked }, signal);
      this.#leaseParts.drains.end(key);
    }
    return reason !== null || this.leases.hasUnheard;
  }

  /** Call after a round has thrown. The next round then lists the residents again. */
  forget(): void {
    this.#steady = false;
    this.#residents.forget();
  }

  /** Call when a resident's engine has ended without an unload. The next round then lists the residents again. */
  residentEnded({ modelKey, crashed }: EndedResident): void {
    this.#residentEnded = true;
    if (crashed) this.#retries.crashed(modelKey);
  }

  async #switch(
    { reason, asked, observation, decided: { input, limits }, spares }: Due,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#settings;
    const startedMs = clock.monotonicMs();
    const first: AssembledInput[] = [observation.input];
    const switching = this.#executor.run({
      reason,
      policy: observation.input.policy,
      deviceIdentifier: asked.request.deviceIdentifier ?? null,
      input: observation.input,
      observe: async (coolingDownUntilMs) => {
        // The first decision of the switch uses the logged input, so that a replay can repeat it.
        const logged = first.pop();
        if (logged !== undefined) return logged;
        const next = await this.#observe(asked, coolingDownUntilMs, { steady: false, signal });
        return spares ? withRetainedPinned(next.input) : next.input;
      },
      decide: (next) =>
        decideWithin({ ...next, upgradeMarginRatio: input.upgradeMarginRatio }, limits),
      isWanted: this.#decisions.demand(asked.turn, observation.input),
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
    this.#residents.switched(result.report?.outcome ?? null);
    if (asked.turn.target !== null) {
      // A caller's switch starts no cool-down of the autopilot's own decisions.
      this.#decider.switched(null);
      return;
    }
    // If this switch only finished an earlier switch, the cool-down of the earlier switch starts now.
    const late = result.report !== null && isLateEnd(result.report);
    this.#decider.switched(late ? this.#decider.lastDirection : result.direction);
  }

  async #observe(
    { turn, request }: AskedFor,
    coolingDownUntilMs: Record<string, number>,
    options: { readonly steady: boolean; readonly signal: AbortSignal },
  ): Promise<Observation> {
    const resources = this.#decision?.input.resources ?? null;
    const coolDowns = { ...this.#retries.coolDowns(resources), ...coolingDownUntilMs };
    const round = this.leases.beginRound();
    const observation = await this.#observer.observe(request, coolDowns, options);
    const { measured, instances, fresh } = observation;
    const { residents, policy } = observation.input;
    this.#pressure.observe(measured, residents, policy);
    await this.leases.readNamed(residents, options.signal);
    this.leases.observe({ residents, instances, fresh, round });
    // After the observation has given leases: the decision counts the leased residents as busy.
    const retained = this.#leaseParts.held.retained(residents);
    const input = this.#decisions.inputFor(turn, observation.input, retained);
    this.#observed = input;
    this.#residents.observe(input.residents, this.leases.waiting);
    this.#idle.observe(this.#settings.clock.monotonicMs(), input.residents);
    if (turn.target !== null)
      return { ...observation, input: this.#idle.forCallers(input, this.#settings.timings) };
    const overdueIdle = this.#pressure.withOverdueIdle(input.residents);
    const steppingDown = this.#residents.released ? { steppingDown: true } : {};
    return { ...observation, input: { ...input, residents: overdueIdle, ...steppingDown } };
  }
}
