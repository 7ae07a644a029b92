import type { Selection } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';
import { cachePorts, type CachedPorts } from '../caching/cached-ports.js';
import { DecisionLogger } from '../decision-log/decision-logger.js';
import type { PublishedEvent, SwitchReason } from '../events/autopilot-event.js';
import { backOffMs } from '../failures/back-off.js';
import { RetryState } from '../failures/retry-state.js';
import { GrowthWatch } from '../growth/growth-watch.js';
import { JournalReader } from '../journal/journal-reader.js';
import type { LeaseRequest } from '../leases/lease-request.js';
import { Leases, type Turn } from '../leases/leases.js';
import { RequestDrains } from '../leases/request-drains.js';
import { TargetCatalog } from '../leases/target-catalog.js';
import { throwIfAborted } from '../ports/clock.js';
import { decideWithin } from '../timing/decide-on-ramp.js';
import type { AutopilotSettings } from './autopilot-options.js';
import type { AutopilotState } from './autopilot-state.js';
import { Decider, type Decision } from './decider.js';
import { MemoryPressure } from '../execution/memory-pressure.js';
import { Observer, type AskedFor, type Observation } from './observer.js';
import { planRequest, type LeasePlan } from './plan-request.js';
import { RamWatch } from './ram-watch.js';
import { reasonToAct } from './reason-to-act.js';
import { stepForRequest } from './reason-to-serve.js';
import { ResidentWatch } from './resident-watch.js';
import { SwitchExecutor } from '../execution/switch-executor.js';
import { isLateEnd } from '../execution/switch-progress.js';
import { wouldEvictRetained, withRetainedPinned } from './spare-retained.js';
import { createWakeableSleep } from './wakeable-sleep.js';

/** A decision to carry out now. */
interface Due extends Decision, Omit<Round, 'decided'> {
  readonly reason: SwitchReason;
  readonly asked: AskedFor;
}

/** A round's observation, and the decision that was made from it. */
interface Round {
  readonly observation: Observation;
  readonly decided: Decision;
  /** Whether retained residents count as pinned in the decision. */
  readonly spares: boolean;
}

/** Runs the rounds of the autopilot: observe, decide, and switch when the decision is due. */
export class AutopilotLoop {
  readonly leases: Leases;
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
  readonly #targets: TargetCatalog;
  readonly #drains: RequestDrains;
  readonly #growth = new GrowthWatch();
  readonly #sleeper = createWakeableSleep();
  #decision: AutopilotState['decision'] = null;
  #observed: AssembledInput | null = null;
  /** Whether yields have changed since the last of the autopilot's own turns. */
  #yieldsChanged = false;
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
    const { catalog } = this.#cached.ports;
    this.#targets = new TargetCatalog(
      {
        read: (question) =>
          catalog.read({ ...question, chain: question.chain ?? settings.request.chain ?? null }),
      },
      clock,
    );
    this.#drains = new RequestDrains(
      clock,
      () => ({
        deadlineMs: settings.timings.drainDeadlineMs,
        pauseMs: settings.timings.putOff.baseMs,
      }),
      publish,
    );
    this.leases = new Leases({
      ...{ catalog: this.#targets, clock },
      retainMs: () => settings.timings.retainMs,
      isDrained: (identifier) => this.#drains.isDrained(identifier),
      onWaiting: () => this.wake(),
    });
    const sources = {
      cached: this.#cached,
      journal: this.#journal,
      leases: this.leases,
      growth: this.#growth,
      targets: this.#targets,
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
      const { verdict, target } = this.#decision ?? { verdict: null, target: null };
      const dueMs = (target === null ? verdict?.waitMs : null) ?? nextRoundMs;
      if (this.leases.hasUnheard) this.wake();
      await this.#ramWatch.sleep(this.#sleeper, Math.min(nextRoundMs, dueMs), signal);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { clock } = this.#settings;
    const { changed, yieldsChanged } = await this.#journal.refresh(signal);
    const failures = this.#journal.takeFailures();
    if (failures !== null) this.#retries.adopt(failures);
    this.#yieldsChanged ||= yieldsChanged;
    const { isOverHardLimit } = this.#pressure;
    this.#drains.endExcept(this.leases.waitingKeys);
    let asked = await this.#askedIn(
      this.#yieldsChanged ? this.leases.takeOwnTurn() : this.leases.takeTurn(isOverHardLimit),
      signal,
    );
    const steady = this.#steady && !changed && !this.leases.mustList;
    let observation = await this.#observe(asked, {}, { steady, signal });
    if (asked.turn.target !== null && this.#pressure.isOverHardLimit && !isOverHardLimit) {
      // An emergency does not wait for the turns of callers.
      asked = await this.#askedIn(this.leases.takeOwnTurn(), signal);
      observation = await this.#observe(asked, {}, { steady: false, signal });
    }
    let round = this.#decide(asked, observation, null);
    let reason = this.#reasonToAct(asked, round.decided);
    if (reason !== null && !observation.fresh) {
      // The list of residents may be out of date. Decide again with a new one before acting.
      observation = await this.#observe(asked, {}, { steady: false, signal });
      round = this.#decide(asked, observation, round.decided);
      reason = this.#reasonToAct(asked, round.decided);
    }
    const { turn } = asked;
    if (turn.target === null) this.#yieldsChanged = false;
    const { decided } = round;
    const { input, selection, judged } = decided;
    const { verdict, observation: observed } = judged;
    const { timeToHardLimitMs } = observed;
    const ours = input.residents.some((one) => !one.foreign);
    this.#steady =
      reason === null &&
      this.#retries.putOffUntilMs === null &&
      !(this.#pressure.isOverHardLimit && ours);
    const { target, key } = turn;
    const atMs = clock.nowMs();
    this.#ramWatch.decided(selection, observation.measured);
    const logged = { atMs, input, selection, ...judged, target, key };
    const id = this.#logger.decided(logged, reason !== null);
    this.#decision = { atMs, id, target, input, selection, verdict, timeToHardLimitMs };
    this.#publish({ type: 'decided', target, input, selection, verdict, timeToHardLimitMs });
    this.leases.decided(turn, id);
    if (target !== null) this.#serve(turn, selection, input);
    if (reason === null) return;
    await this.#switch({ ...round, ...decided, reason, asked }, signal);
    this.#drains.end(key);
  }

  #askedIn(turn: Turn, signal: AbortSignal): Promise<AskedFor> {
    return this.#observer.request(turn, signal);
  }

  #decide({ turn }: AskedFor, observation: Observation, earlier: Decision | null): Round {
    const { upgradeMarginRatio } = this.#decider;
    const { input } = observation;
    if (turn.target !== null) {
      const decided = this.#decider.decideForRequest({ ...input, upgradeMarginRatio });
      return { observation, decided, spares: false };
    }
    const decided = this.#decider.decide({ ...input, upgradeMarginRatio }, earlier);
    if (!wouldEvictRetained(decided.selection, input)) {
      return { observation, decided, spares: false };
    }
    const spared = withRetainedPinned(input);
    return {
      observation: { ...observation, input: spared },
      decided: this.#decider.decide({ ...spared, upgradeMarginRatio }, decided),
      spares: true,
    };
  }

  #reasonToAct({ turn }: AskedFor, { input, selection, judged }: Decision): SwitchReason | null {
    if (turn.target !== null) {
      return this.#stepFor(turn, selection) === 'load' ? 'REQUESTED' : null;
    }
    if (this.#settings.dryRun) return null;
    return reasonToAct(selection, judged.verdict, {
      yieldsChanged: this.#yieldsChanged,
      wanted: this.#residents.wanted,
      isHeldBack: () => this.#retries.isHeldBack(input.residents),
    });
  }

  #stepFor(turn: Turn, selection: Selection) {
    return stepForRequest(selection, turn, {
      mayLoad: !this.#settings.dryRun,
      isHeldBack: this.#retries.breakerOpenUntilMs !== null,
    });
  }

  /** Drains for the callers of a turn, or answers them if no model will be loaded for them soon. */
  #serve(turn: Turn, selection: Selection, { residents }: AssembledInput): void {
    const step = this.#stepFor(turn, selection);
    const waitsFor = step === 'drain' ? (selection.afterDrain?.waitsFor ?? []) : [];
    if (step === 'drain') {
      this.#drains.drain(
        turn.key,
        residents.filter((one) => waitsFor.includes(one.instanceIdentifier)),
      );
    }
    if (step !== 'answer') return;
    this.#drains.end(turn.key);
    this.leases.answer(selection, turn);
  }

  /** The decision for a request if it were made now. Loads and unloads nothing. */
  plan(request: LeaseRequest, signal: AbortSignal | null): Promise<LeasePlan> {
    return planRequest(request, {
      ports: this.#cached.ports,
      settings: this.#settings,
      observed: this.#observed,
      growth: this.#growth,
      leases: this.leases,
      targets: this.#targets,
      coolDowns: this.#retries.coolDowns(this.#observed?.resources ?? null),
      upgradeMarginRatio: this.#decider.upgradeMarginRatio,
      signal,
    });
  }

  async #switch(
    { reason, asked, observation, input, limits, spares }: Due,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#settings;
    const startedMs = clock.monotonicMs();
    const { upgradeMarginRatio } = input;
    let first: AssembledInput | null = observation.input;
    const switching = this.#executor.run({
      reason,
      policy: observation.input.policy,
      deviceIdentifier: asked.request.deviceIdentifier ?? null,
      input: observation.input,
      observe: async (coolingDownUntilMs) => {
        // The first decision of the switch uses the logged input, so that a replay can repeat it.
        const options = { steady: false, signal };
        const known = first;
        first = null;
        if (known !== null) return known;
        const next = (await this.#observe(asked, coolingDownUntilMs, options)).input;
        return spares ? withRetainedPinned(next) : next;
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
    // A caller's switch starts no cool-down of the autopilot's own decisions.
    const own = asked.turn.target === null;
    this.#decider.switched(own ? (late ? this.#decider.lastDirection : result.direction) : null);
    this.#residents.forget();
    if (result.report === null || result.report.outcome === 'released') this.#residents.release();
    this.#sleeper.wake();
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
    this.leases.observe({ residents, instances, fresh, round });
    // After the observation has given leases: the decision counts the residents as busy.
    const input = this.#withLeases(observation.input, turn);
    this.#observed = input;
    this.#residents.observe(input.residents, this.leases.waiting);
    return { ...observation, input: turn.target === null ? this.#withOverdue(input) : input };
  }

  /** While memory is short, counts our busy instances as idle once their drain deadline has passed. */
  #withOverdue(input: AssembledInput): AssembledInput {
    const { released } = this.#residents;
    const residents = this.#pressure.isDrainOver
      ? input.residents.map((one) => (one.foreign ? one : { ...one, busy: false }))
      : input.residents;
    return { ...input, residents, ...(released ? { steppingDown: true } : {}) };
  }

  /** A caller's decision supersedes no resident. The autopilot's own supersedes none that is retained. */
  #withLeases(input: AssembledInput, { target }: Turn): AssembledInput {
    const retained =
      target === null
        ? this.leases.retained(input.residents)
        : input.residents.map((one) => one.instanceIdentifier);
    if (retained.length === 0) return input;
    const { leased } = this.leases;
    const residents = input.residents.map((one) =>
      leased.includes(one.instanceIdentifier) ? { ...one, busy: true } : one,
    );
    return { ...input, residents, retained };
  }
}
