import { NO_REQUIREMENT, selectModel, type Selection } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';
import type { SwitchReason } from '../events/autopilot-event.js';
import type { LoadTarget } from '../execution/switch-progress.js';
import type { RetryState } from '../failures/retry-state.js';
import type { Turn } from '../leases/lease.js';
import type { Leases } from '../leases/leases.js';
import type { RequestDrains } from '../leases/request-drains.js';
import type { AutopilotSettings } from '../autopilot-options.js';
import type { Decider, Decision } from './decider.js';
import type { AskedFor, Observation } from '../observe/observer.js';
import { asDue } from '../timing/as-due.js';
import { RecentUse } from '../timing/recent-use.js';
import { reasonToAct } from './reason-to-act.js';
import { stepForRequest, type RequestStep } from './reason-to-serve.js';
import type { ResidentWatch } from '../observe/resident-watch.js';
import { withoutRoom } from '../switch/narrow-input.js';
import { wouldEvictRetained, withRetainedPinned } from './spare-retained.js';

/** A round's observation, and the decision that was made from it. */
export interface DecidedRound {
  readonly observation: Observation;
  readonly decided: Decision;
  /** Whether retained residents count as pinned in the decision. */
  readonly spares: boolean;
}

interface Sources {
  readonly decider: Decider;
  readonly retries: RetryState;
  readonly residents: ResidentWatch;
  readonly leases: Leases;
  readonly drains: RequestDrains;
}

/** Decides in a round, for the autopilot itself or for waiting callers, and says what follows. */
export class RoundDecision {
  readonly #settings: AutopilotSettings;
  readonly #sources: Sources;
  readonly #recentUse = new RecentUse();

  constructor(settings: AutopilotSettings, sources: Sources) {
    this.#settings = settings;
    this.#sources = sources;
  }

  /** @param earlier - the decision of the same round that the new decision replaces; null for the first. */
  decide({ turn }: AskedFor, observation: Observation, earlier: Decision | null): DecidedRound {
    const { decider } = this.#sources;
    const { upgradeMarginRatio } = decider;
    const { input } = observation;
    if (turn.target !== null) {
      const decided = decider.decideForRequest({ ...input, upgradeMarginRatio });
      this.#observeUse(decided);
      return { observation, decided, spares: false };
    }
    const decided = decider.decide({ ...input, upgradeMarginRatio }, earlier);
    this.#observeUse(decided);
    if (!wouldEvictRetained(decided.selection, input)) {
      return { observation, decided, spares: false };
    }
    const spared = withRetainedPinned(input);
    return {
      observation: { ...observation, input: spared },
      decided: decider.decide({ ...spared, upgradeMarginRatio }, decided),
      spares: true,
    };
  }

  /** The reason to carry the decision out now; null when it is not carried out. */
  reasonToAct(
    turn: Turn,
    { input, selection, judged }: Decision,
    yieldsChanged: boolean,
  ): SwitchReason | null {
    if (turn.target !== null) return this.#stepFor(turn, selection) === 'load' ? 'REQUESTED' : null;
    if (this.#settings.dryRun) return null;
    const { residents, retries } = this.#sources;
    return reasonToAct(selection, judged.verdict, {
      yieldsChanged,
      wanted: residents.wanted,
      isUnasked: this.#isUnasked,
      isHeldBack: () => retries.isHeldBack(input.residents),
    });
  }

  /** Tells whether somebody wants a load that was decided in a turn: its callers, others, or the autopilot itself. */
  demand(turn: Turn, input: AssembledInput): (load: LoadTarget | null) => boolean {
    if (turn.target === null) return () => true;
    const own = this.#ownChoice(turn, input);
    return (load) =>
      this.#sources.leases.isAwaited(turn, load) || (load !== null && load.modelKey === own);
  }

  /**
   * The model that the autopilot would load for itself if the callers of a turn left; null where it would load none, or where the
   * callers ask for another target than the autopilot's own. A load that the autopilot would choose as well is not cancelled,
   * because the next round would begin it again.
   */
  #ownChoice({ target }: Turn, input: AssembledInput): string | null {
    const { chain = null, requirement = NO_REQUIREMENT } = this.#settings.request;
    const isOwn = target?.modelKey === null && [null, chain].includes(target.chain);
    const hasOurs = input.residents.some((one) => !one.foreign);
    if (!isOwn || hasOurs) return null;
    if (!this.#sources.residents.wantedWithoutCallers || this.#isUnasked) return null;
    return selectModel({ ...input, requirement }).chosen?.modelKey ?? null;
  }

  /**
   * Whether a decision of the autopilot itself is due, and is not carried out because nobody wants a model. Such a decision is not
   * logged.
   */
  isUnwanted({ target }: Turn, { selection, judged }: Decision): boolean {
    const { decision, direction } = asDue(selection);
    if (target !== null || !judged.verdict.act) return false;
    return (
      (decision === 'load' && !this.#sources.residents.wanted) ||
      (this.#isUnasked && (decision === 'load' || (decision === 'switch' && direction !== 'down')))
    );
  }

  get #isUnasked(): boolean {
    const { chain = null } = this.#settings.request;
    const { askedChains } = this.#sources.leases;
    return this.#settings.onlyForCallers && !askedChains.has(null) && !askedChains.has(chain);
  }

  /** Drains for the callers of a turn, or answers them if no model will be loaded for them soon. */
  serve(turn: Turn, selection: Selection, { residents }: AssembledInput): void {
    if (turn.target === null) return;
    const { leases, drains } = this.#sources;
    const step = this.#stepFor(turn, selection);
    if (step === 'load') return;
    if (step === 'drain') {
      const waitsFor = selection.afterDrain?.waitsFor ?? [];
      drains.drain(
        turn.key,
        residents.filter((one) => waitsFor.includes(one.instanceIdentifier)),
      );
      return;
    }
    drains.end(turn.key);
    // Each round decides again for the callers, and answers them once memory has been short for too long.
    if (step === 'wait') return;
    leases.answer(selection, turn);
  }

  /**
   * The input of a turn's decision, from what was observed. Leased residents count as busy. A model whose load with a longer context than
   * needed has failed gets no such context for now. A decision for a caller supersedes no resident. The autopilot's own decision
   * supersedes no retained resident.
   */
  inputFor(
    { target }: Turn,
    observed: AssembledInput,
    ownRetained: readonly string[],
  ): AssembledInput {
    const { retries } = this.#sources;
    const input = withoutRoom(observed, retries.withoutRoom(observed.resources));
    const retained =
      target === null ? ownRetained : input.residents.map((one) => one.instanceIdentifier);
    if (retained.length === 0) return input;
    const { leased } = this.#sources.leases;
    const residents = input.residents.map((one) =>
      leased.includes(one.instanceIdentifier) ? { ...one, busy: true } : one,
    );
    return { ...input, residents, retained };
  }

  /** Call where a yield has begun or has grown. */
  yieldsGrew(): void {
    this.#recentUse.forget();
  }

  #observeUse({ selection: { pools } }: Decision): void {
    this.#recentUse.observe(this.#settings.clock.monotonicMs(), pools);
  }

  #stepFor(turn: Turn, selection: Selection): RequestStep {
    return stepForRequest(selection, turn, {
      mayLoad: !this.#settings.dryRun,
      isHeldBack: this.#sources.retries.breakerOpenUntilMs !== null,
      mayFitAgain: this.#recentUse.mayFitAgain(selection),
    });
  }
}
