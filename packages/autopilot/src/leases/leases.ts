import type { Resident, Selection } from '@mai/selector';
import { AutopilotError } from '../autopilot-error.js';
import { ClosedResidents } from './closed-residents.js';
import { findResident, isOffered, type FoundResident } from './find-resident.js';
import type { HeldLeases } from './held-leases.js';
import {
  targetKey,
  targetOf,
  type LeaseRequest,
  type LeaseTarget,
} from '../request/lease-request.js';
import type { AcquireResult, Lease, ObservedResidents, Turn } from './lease.js';
import {
  meetsRequirement,
  profileOf,
  type CatalogTarget,
  type TargetCatalog,
} from './target-catalog.js';
import type { CatalogReading } from '../ports/catalog-port.js';
import { OWN_TURN, Turns } from './turns.js';
import { WaitingCallers, type Waiter } from './waiting-callers.js';

interface Sources {
  readonly catalog: TargetCatalog;
  readonly held: HeldLeases;
  /** Whether a resident is drained for a caller, and so gets no new lease. */
  readonly isDrained: (instanceIdentifier: string) => boolean;
  /** Called when a caller begins to wait. */
  readonly onWaiting: () => void;
}

type Load = Pick<Lease, 'modelKey' | 'contextLengthTokens'>;

/** Shared empty array: read every second, almost always empty. */
const NONE: readonly never[] = [];

/** Gives leases, and keeps the callers that wait for a lease. */
export class Leases {
  readonly closed = new ClosedResidents();
  readonly callers = new WaitingCallers();
  readonly #sources: Sources;
  readonly #turns = new Turns();
  readonly #decisionIds = new Map<string, string | null>();
  #round = 0;
  #observed: ObservedResidents | null = null;
  #closed: Error | null = null;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** Identifiers of leased instances, each once. */
  get leased(): readonly string[] {
    return this.#sources.held.identifiers;
  }

  /** How many callers wait for a lease. */
  get waiting(): number {
    return this.callers.size;
  }

  /** Whether the runtime has to be asked for its residents in the next round. */
  get mustList(): boolean {
    return this.callers.size > 0 || this.closed.hasFailed;
  }

  /** The chains of which callers have asked for any model; null is the autopilot's own chain. */
  readonly askedChains = new Set<string | null>();

  /** Whether a decision is missing for a waiting caller. */
  get hasUnheard(): boolean {
    return [...this.callers].some((waiter) => !waiter.considered);
  }

  /** The keys of the targets that callers wait for. */
  get waitingKeys(): ReadonlySet<string> {
    return this.callers.keys;
  }

  /** Whether one of the requests of a turn still waits, or another caller that a load would serve. */
  isAwaited({ requests }: Turn, load: Load | null): boolean {
    return [...this.callers].some(
      (one) => requests.includes(one.request) || (load !== null && this.#isMetBy(one, load)),
    );
  }

  /** Whether a load would serve every waiting caller. */
  areAllMetBy(load: Load): boolean {
    return [...this.callers].every((one) => this.#isMetBy(one, load));
  }

  isLeased(instanceIdentifier: string): boolean {
    return this.leased.includes(instanceIdentifier);
  }

  /** Call before a round lists the residents. */
  beginRound(): number {
    this.#round += 1;
    return this.#round;
  }

  /** @param ownFirst - whether the autopilot's own turn comes before those of callers, unless the last turn was its own. */
  takeTurn(ownFirst: boolean): Turn {
    const key = this.#turns.next(this.waitingKeys, ownFirst);
    if (key === OWN_TURN) return this.takeOwnTurn();
    return this.callers.takeTurn(key) ?? this.takeOwnTurn();
  }

  takeOwnTurn(): Turn {
    return { key: this.#turns.take(OWN_TURN), target: null, requests: NONE };
  }

  /** The question to the catalog about a target; null for an unknown resident. */
  catalogTarget({ chain, modelKey, instanceIdentifier }: LeaseTarget): CatalogTarget | null {
    if (instanceIdentifier === null) return { chain, modelKey };
    const resident = this.#resident(instanceIdentifier);
    return resident === undefined ? null : { chain, modelKey: resident.modelKey };
  }

  /**
   * Reads the catalog for callers that named a resident before it was listed. `observe` can then give them a lease on it, so call
   * this before `observe`. Rejects a caller where the reading fails, or where the catalog does not have the model.
   */
  async readNamed(residents: readonly Resident[], signal: AbortSignal): Promise<void> {
    for (const waiter of this.callers) {
      const { chain, instanceIdentifier } = waiter.target;
      const named = residents.find((one) => one.instanceIdentifier === instanceIdentifier);
      if (named === undefined) continue;
      const { modelKey } = named;
      try {
        const reading = await this.#sources.catalog.find({ chain, modelKey }, signal);
        if (reading.chain.length === 0) throw unknownModel(modelKey, reading);
      } catch (error) {
        signal.throwIfAborted();
        this.callers.reject(waiter, error);
      }
    }
  }

  /** Takes a new observation, and gives leases to callers that wait for one of its residents. */
  observe(observed: ObservedResidents): void {
    this.#observed = observed;
    this.closed.observe(observed);
    for (const waiter of this.callers) {
      const lease = this.#grant(waiter.request, (one) => isOffered(one, waiter.target));
      if (lease !== null) this.callers.settle(waiter, { lease, selection: null });
      else this.#rejectUnknown(waiter, observed);
    }
  }

  /** Takes the identifier of the decision that was made in a turn. */
  decided({ key, requests }: Turn, decisionId: string | null): void {
    this.#decisionIds.set(key, decisionId);
    for (const waiter of this.callers) {
      if (requests.includes(waiter.request)) waiter.considered = true;
    }
    for (const known of this.#decisionIds.keys()) {
      if (known !== OWN_TURN && !this.waitingKeys.has(known)) this.#decisionIds.delete(known);
    }
  }

  /**
   * Answers the callers of a turn for whom no model will be loaded. If the decision keeps an instance that
   * meets the requirement, the caller gets a lease on that instance, even if it is foreign. Otherwise the
   * caller gets the decision.
   */
  answer(selection: Selection, { key, requests }: Turn): void {
    const kept = selection.decision === 'keep' ? selection.chosen?.instanceIdentifier : null;
    // A caller that waits because of another caller's drain gets its turn after that drain.
    if (kept !== null && kept !== undefined && this.#sources.isDrained(kept)) return;
    const decisionId = this.#decisionIds.get(key) ?? null;
    for (const waiter of this.callers) {
      if (!requests.includes(waiter.request)) continue;
      const lease = this.#grant(waiter.request, (one) => one.instanceIdentifier === kept);
      this.callers.settle(
        waiter,
        lease === null ? { lease, selection, decisionId } : { lease, selection: null },
      );
    }
  }

  /** Closes instances until the residents have been listed in a later round. */
  leave(instanceIdentifiers: readonly string[]): void {
    for (const identifier of instanceIdentifiers) this.closed.fail(identifier, this.#round);
  }

  /** Rejects every waiting caller, because the autopilot stops. */
  close(reason: Error): void {
    this.#closed = reason;
    this.reject(reason);
  }

  /** Rejects every waiting caller. */
  reject(reason: unknown): void {
    for (const waiter of this.callers) {
      this.callers.reject(waiter, reason);
    }
  }

  /**
   * Resolves at once when a resident meets the request, and later otherwise.
   *
   * @throws AutopilotError `MODEL_NOT_FOUND`
   */
  async acquire(request: LeaseRequest, signal: AbortSignal | null): Promise<AcquireResult> {
    signal?.throwIfAborted();
    const target = targetOf(request);
    this.leave(request.failed ?? NONE);
    const asked = this.catalogTarget(target);
    if (asked !== null) {
      const reading = await this.#sources.catalog.find(asked, signal);
      if (asked.modelKey !== null && reading.chain.length === 0)
        throw unknownModel(asked.modelKey, reading);
    }
    signal?.throwIfAborted();
    if (this.#closed !== null) throw this.#closed;
    if (target.modelKey === null && target.instanceIdentifier === null)
      this.askedChains.add(target.chain);
    const lease = this.#grant(request, (one) => isOffered(one, target));
    if (lease !== null) return { lease, selection: null };
    const waiting = this.callers.wait(request, target, this.#round, signal);
    this.#sources.onWaiting();
    return waiting;
  }

  /** The resident that a request would get at once; null where there is no such resident. */
  find(request: LeaseRequest): Resident | null {
    const target = targetOf(request);
    return this.#find(request, (one) => isOffered(one, target))?.resident ?? null;
  }

  /** Whether a resident meets a request, also where it is foreign. */
  isMet(resident: Resident, request: LeaseRequest): boolean {
    const { instanceIdentifier } = resident;
    return this.#find(request, (one) => one.instanceIdentifier === instanceIdentifier) !== null;
  }

  /** Rejects a caller that waits for a resident which a later listing does not have. */
  #rejectUnknown(waiter: Waiter, { fresh, round }: ObservedResidents): void {
    const { instanceIdentifier } = waiter.target;
    if (instanceIdentifier === null || !fresh || round <= waiter.round) return;
    if (this.#resident(instanceIdentifier) !== undefined) return;
    this.callers.reject(
      waiter,
      new AutopilotError(
        'MODEL_NOT_FOUND',
        `No loaded model has the identifier ${JSON.stringify(instanceIdentifier)}. It may have been unloaded. List the loaded models again.`,
      ),
    );
  }

  #grant(request: LeaseRequest, offered: (resident: Resident) => boolean): Lease | null {
    const found = this.#find(request, offered);
    if (found === null) return null;
    const { resident, facts, contextLengthTokens } = found;
    const { instanceIdentifier, modelKey } = resident;
    const release = this.#sources.held.hold(instanceIdentifier);
    const { tier, capabilities } = facts;
    const decisionId =
      this.#decisionIds.get(targetKey(targetOf(request))) ??
      this.#decisionIds.get(OWN_TURN) ??
      null;
    return {
      instanceIdentifier,
      modelKey,
      tier,
      capabilities,
      contextLengthTokens,
      decisionId,
      release,
      [Symbol.dispose]: release,
    };
  }

  #find(request: LeaseRequest, offered: (resident: Resident) => boolean): FoundResident | null {
    const asked = this.catalogTarget(targetOf(request));
    const reading = asked === null ? null : this.#sources.catalog.recall(asked);
    if (reading === null || this.#observed === null) return null;
    const observed = this.#observed;
    const findOf = (may: (identifier: string) => boolean): FoundResident | null =>
      findResident(
        observed,
        reading,
        request,
        (one) => offered(one) && may(one.instanceIdentifier) && this.#mayLease(one),
      );
    return findOf((identifier) => !this.closed.isDraining(identifier)) ?? findOf(() => true);
  }

  #mayLease({ instanceIdentifier }: Resident): boolean {
    return !this.closed.has(instanceIdentifier) && !this.#sources.isDrained(instanceIdentifier);
  }

  #isMetBy({ request, target }: Waiter, { modelKey, contextLengthTokens }: Load): boolean {
    if (target.instanceIdentifier !== null) return false;
    const reading = this.#sources.catalog.recall(target);
    const facts = reading === null ? null : profileOf(reading, modelKey);
    return facts !== null && meetsRequirement(facts, contextLengthTokens, request);
  }

  #resident(instanceIdentifier: string): Resident | undefined {
    return this.#observed?.residents.find((one) => one.instanceIdentifier === instanceIdentifier);
  }
}

function unknownModel(modelKey: string, { whyEmpty }: CatalogReading): AutopilotError {
  return new AutopilotError(
    'MODEL_NOT_FOUND',
    whyEmpty ??
      `There is no model ${JSON.stringify(modelKey)} on the disk or in the configuration. Check the model key, or download the model.`,
  );
}
