import type { SelectionPolicy } from '@mai/memory-ledger';
import type { Selection } from '@mai/selector';
import type { AssembledInput } from '../assemble/assemble-selection-input.js';
import type { SelectionRequest } from '../assemble/selection-request.js';
import { backOffMs } from '../failures/back-off.js';
import { throwIfAborted } from '../ports/clock.js';
import { poolsOverHardLimit } from '../switch/hard-limit.js';
import type { PublishedEvent, SwitchReason } from './autopilot-event.js';
import type { AutopilotSettings } from './autopilot-options.js';
import type { AutopilotState } from './autopilot-state.js';
import { cachePorts, type CachedPorts } from './cached-ports.js';
import { decideOnRamp, decideWithin } from './decide-on-ramp.js';
import { DecisionLogger } from './decision-logger.js';
import { JournalKeeper } from './journal-keeper.js';
import { LeaseDesk } from './leases.js';
import { Lookout } from './lookout.js';
import { Observer } from './observer.js';
import { ResidentWatch } from './resident-watch.js';
import { SwitchDesk } from './switch-desk.js';
import { isLateEnd } from './switch-progress.js';
import { SwitchTiming } from './switch-timing.js';
import { reasonToAct } from './reason-to-act.js';
import { createSelectionMemo } from './selection-memo.js';
import { createWaker } from './waker.js';

/** A decision that is to be carried out. */
interface Due {
  readonly reason: SwitchReason;
  readonly request: SelectionRequest;
  readonly observed: AssembledInput;
  /** On a ramp: what it keeps to instead of the configured limits, and weaker ones. */
  readonly limits: readonly SelectionPolicy[];
}

/** The rounds: observe, decide, and switch when it is time. All state that outlasts a round is here. */
export class AutopilotLoop {
  readonly leases = new LeaseDesk();
  readonly #settings: AutopilotSettings;
  readonly #publish: (event: PublishedEvent) => void;
  readonly #cached: CachedPorts;
  readonly #journal: JournalKeeper;
  readonly #switches: SwitchDesk;
  readonly #logger: DecisionLogger;
  readonly #waker = createWaker();
  readonly #timing: SwitchTiming;
  readonly #lookout: Lookout;
  readonly #observer: Observer;
  readonly #residents: ResidentWatch;
  readonly #select = createSelectionMemo();
  #decision: AutopilotState['decision'] = null;
  #fault: unknown = null;
  #faults = 0;

  constructor(settings: AutopilotSettings, publish: (event: PublishedEvent) => void) {
    this.#settings = settings;
    this.#publish = publish;
    this.#cached = cachePorts(settings, (error) => {
      publish({ type: 'catalog-rejected', error });
    });
    this.#journal = new JournalKeeper(settings, publish);
    this.#timing = new SwitchTiming(settings);
    this.#lookout = new Lookout(settings);
    this.#residents = new ResidentWatch(settings, publish);
    this.#logger = new DecisionLogger(settings.decisionLog);
    this.#switches = new SwitchDesk(
      settings,
      { cached: this.#cached, leases: this.leases, journal: this.#journal },
      publish,
    );
    this.#observer = new Observer(settings, {
      cached: this.#cached,
      journal: this.#journal,
      leases: this.leases,
      switches: this.#switches,
    });
  }

  get state(): Omit<AutopilotState, 'status'> {
    const { journal } = this.#journal;
    return {
      decision: this.#decision,
      fault: this.#fault,
      breakerOpenUntilMs: this.#switches.breakerOpenUntilMs,
      putOffUntilMs: this.#switches.putOffUntilMs,
      failures: this.#switches.failures,
      pins: journal.pins,
      yields: journal.yields,
      leased: this.leases.leased,
      waiting: this.leases.waiting,
      idle: !this.#residents.wanted,
    };
  }

  get switching(): boolean {
    return this.#switches.switching;
  }

  /** Somebody waits for a decision: makes the next round come at once. */
  wake(): void {
    this.#waker.wake();
  }

  /** Rounds until the signal fires; rejects with its reason, and with nothing else. */
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
        this.#residents.forget();
        this.#faults += 1;
        const { random, timings } = this.#settings;
        waitMs = backOffMs(timings.fault, this.#faults, random);
        this.#publish({ type: 'fault', error, retryAtMs: clock.nowMs() + waitMs });
      }
      // Rounds keep their beat: a switch that took a while must not make the next look later.
      const { observeIntervalMs } = this.#settings.timings;
      const beatMs = observeIntervalMs - ((clock.monotonicMs() - startedMs) % observeIntervalMs);
      if (waitMs === null) {
        const dueMs = this.#decision?.verdict.waitMs ?? beatMs;
        await this.#lookout.sleep(this.#waker, Math.min(beatMs, dueMs), signal);
      } else {
        await this.#journal.confirmDuring(this.#waker.sleep(clock, waitMs, signal));
      }
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { clock } = this.#settings;
    const { yieldsChanged } = await this.#journal.refresh(signal);
    this.#switches.adopt(this.#journal.takeFailures());
    const request = await this.#observer.request(signal);
    const observed = await this.#look(request, yieldsChanged, signal);
    if (poolsOverHardLimit(observed.resources, observed.policy).length === 0)
      this.#switches.relieve();
    this.leases.observe(observed);
    this.#residents.observe(observed, this.leases.waiting);
    const { input, selection, judged, limits } = this.#decide(observed);
    const { verdict } = judged;
    const { timeToHardLimitMs } = judged.observation;
    this.#decision = { atMs: clock.nowMs(), input, selection, verdict, timeToHardLimitMs };
    this.#lookout.decided(selection, input.resources);
    this.#publish({ type: 'decided', input, selection, verdict, timeToHardLimitMs });
    const reason = this.#settings.dryRun
      ? null
      : reasonToAct(selection, verdict, {
          yieldsChanged,
          wanted: this.#residents.wanted,
          waiting: this.leases.waiting,
          heldBack: () => this.#switches.heldBack(observed.residents),
        });
    this.#logger.decided({ atMs: clock.nowMs(), input, selection, ...judged }, reason !== null);
    if (reason === null) {
      this.#answerWaiting(selection);
      return;
    }
    await this.#switch({ reason, request, observed, limits }, signal);
  }

  /** Where nothing is about to happen a look asks for less; what it finds to do is looked at anew. */
  async #look(
    request: SelectionRequest,
    yieldsChanged: boolean,
    signal: AbortSignal,
  ): Promise<AssembledInput> {
    const steady = this.#decision?.verdict.reason === 'STEADY' && this.#fault === null;
    if (steady && !yieldsChanged && this.leases.waiting === 0) {
      const observed = await this.#observe(request, {}, { calm: true, signal });
      const { upgradeMarginRatio } = this.#timing;
      const { decision, plan } = this.#select({ ...observed, upgradeMarginRatio });
      if (decision === 'keep' && plan.steps.length === 0) return observed;
    }
    return this.#observe(request, {}, { calm: false, signal });
  }

  /** Where others are on a ramp, what is acted upon is decided for where they will be. */
  #decide(observed: AssembledInput) {
    const input = { ...observed, upgradeMarginRatio: this.#timing.upgradeMarginRatio };
    const selection = this.#select(input);
    const judged = this.#timing.judge(selection, input.policy);
    const limits = judged.verdict.act ? this.#timing.limitsOnRamp(judged, input.policy) : [];
    const ahead = decideOnRamp(input, selection, limits);
    if (ahead === null) return { input, selection, judged, limits: [] };
    const instead = this.#timing.judgeInstead(judged, ahead.selection);
    return { ...ahead, input: { ...input, policy: ahead.input.policy }, judged: instead };
  }

  async #switch({ reason, request, observed, limits }: Due, signal: AbortSignal): Promise<void> {
    const { upgradeMarginRatio } = this.#timing;
    const { clock } = this.#settings;
    const startedMs = clock.monotonicMs();
    let first: AssembledInput | null = observed;
    const switching = this.#switches.run({
      reason,
      policy: observed.policy,
      deviceIdentifier: request.deviceIdentifier ?? null,
      emergency: poolsOverHardLimit(observed.resources, observed.policy).length > 0,
      resources: observed.resources,
      observe: async (coolingDownUntilMs) => {
        // The decision that this switch carries out, not one that came out differently since.
        const options = { calm: false, signal };
        const input = first ?? (await this.#observe(request, coolingDownUntilMs, options));
        first = null;
        return input;
      },
      decide: (input) => decideWithin({ ...input, upgradeMarginRatio }, limits),
      signal,
    });
    const result = await this.#journal.confirmDuring(switching);
    await this.#journal.keepFailures(this.#switches.failures, signal);
    this.#logger.finished({
      atMs: clock.nowMs(),
      reason,
      tookMs: clock.monotonicMs() - startedMs,
      result,
      before: observed.resources.ram.availableBytes,
    });
    // What has been replaced is gone now, late: the switch that replaced it is over only here.
    const late = result.report !== null && isLateEnd(result.report);
    const direction = late ? this.#timing.lastDirection : result.direction;
    this.#timing.switched(direction, observed.policy);
    this.#residents.forget();
    if (result.report === null || result.report.outcome === 'released') this.#residents.release();
    this.#waker.wake();
  }

  async #observe(
    request: SelectionRequest,
    coolingDownUntilMs: Record<string, number>,
    options: { readonly calm: boolean; readonly signal: AbortSignal },
  ): Promise<AssembledInput> {
    const coolDowns = { ...this.#switches.coolDowns(this.#decision), ...coolingDownUntilMs };
    const observed = await this.#observer.observe(request, coolDowns, options);
    return this.#residents.released ? { ...observed, steppingDown: true } : observed;
  }

  /** Where nothing will be done soon, whoever waits for a model is told so now. */
  #answerWaiting(selection: Selection): void {
    const { decision } = selection;
    const hopeless =
      this.#settings.dryRun ||
      decision === 'keep' ||
      decision === 'none' ||
      this.#switches.breakerOpenUntilMs !== null;
    if (hopeless && this.leases.waiting > 0) this.leases.turnAway(selection);
  }
}
