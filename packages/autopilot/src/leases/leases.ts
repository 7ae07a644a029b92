import type { Tier } from '@mai/memory-ledger';
import type { Resident, Selection } from '@mai/selector';
import { loadConfigOf } from '../assemble/build-residents.js';
import { AutopilotError } from '../autopilot-error.js';
import type { CatalogReading } from '../ports/catalog-port.js';
import type { Clock } from '../ports/clock.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import { targetKey, targetOf, type LeaseRequest, type LeaseTarget } from './lease-request.js';
import {
  meetsRequirement,
  profileOf,
  type CatalogTarget,
  type TargetCatalog,
} from './target-catalog.js';
import { OWN_TURN, Turns } from './turns.js';

/** A promise that a model stays resident: while the lease is held, the model counts as busy. */
export interface Lease extends Disposable {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  /** Null where the runtime does not tell. */
  readonly contextLengthTokens: number | null;
  /** The logged decision that was in force when the lease was given; null where no decision was logged. */
  readonly decisionId: string | null;
  /** Ends the use. May be called more than once. */
  release(): void;
}

/** A lease, or the decision that says why there is none. */
export type AcquireResult =
  | { readonly lease: Lease; readonly selection: null }
  | { readonly lease: null; readonly selection: Selection };

/** One round's target, and the requests that wait for it. */
export interface Turn {
  readonly key: string;
  /** Null is the autopilot's own target, which no caller waits for. */
  readonly target: LeaseTarget | null;
  /** The requests that the decision is for. Empty with a null target. */
  readonly requests: readonly LeaseRequest[];
}

/** The residents of a round. */
export interface ObservedResidents {
  readonly residents: readonly Resident[];
  /** As the runtime listed them: `residents` may have the context length that was asked for. */
  readonly instances: readonly RuntimeInstance[];
  /** Whether the runtime listed them for this round. */
  readonly fresh: boolean;
  /** The result of `beginRound` before the listing. */
  readonly round: number;
}

interface Waiter {
  readonly request: LeaseRequest;
  readonly target: LeaseTarget;
  readonly key: string;
  /** The last round that had begun when the caller asked. */
  readonly round: number;
  /** Whether a decision was made for the request. */
  considered: boolean;
  readonly resolve: (result: AcquireResult) => void;
  readonly reject: (reason: unknown) => void;
}

interface Sources {
  readonly catalog: TargetCatalog;
  readonly clock: Clock;
  /** How long a resident is retained after its last lease, in milliseconds. */
  readonly retainMs: () => number;
  /** Whether a resident is drained for a caller, and so gets no new lease. */
  readonly isDrained: (instanceIdentifier: string) => boolean;
  /** Called when a caller begins to wait. */
  readonly onWaiting: () => void;
}

/** Shared empty array: read every second, almost always empty. */
const NONE: readonly never[] = [];

/** The leases that are held, and the callers that wait for one. */
export class Leases {
  readonly #sources: Sources;
  readonly #held = new Map<symbol, string>();
  /** When the last lease on an instance was released, in monotonic milliseconds. */
  readonly #releasedAtMs = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();
  readonly #turns = new Turns();
  /** Identifiers of instances that are being unloaded; they get no new lease. */
  readonly #leaving = new Set<string>();
  /** Instances that have failed, with the last round that had begun then; they get no new lease. */
  readonly #failed = new Map<string, number>();
  readonly #decisionIds = new Map<string, string | null>();
  #round = 0;
  #observed: ObservedResidents | null = null;
  #closed: Error | null = null;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** Identifiers of leased instances, each once. */
  get leased(): readonly string[] {
    return this.#held.size === 0 ? NONE : [...new Set(this.#held.values())];
  }

  /** How many callers wait for a lease. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Whether the runtime has to be asked for its residents in the next round. */
  get mustList(): boolean {
    return this.#waiters.size + this.#failed.size > 0;
  }

  /** Whether a caller waits for whom no decision was made yet. */
  get hasUnheard(): boolean {
    return [...this.#waiters].some((waiter) => !waiter.considered);
  }

  /** The keys of the targets that callers wait for. */
  get waitingKeys(): ReadonlySet<string> {
    return new Set([...this.#waiters].map(({ key }) => key));
  }

  isLeased(instanceIdentifier: string): boolean {
    return this.leased.includes(instanceIdentifier);
  }

  /** Identifiers of the residents that are leased, or were leased a short time ago. */
  retained(residents: readonly Resident[]): readonly string[] {
    if (this.#held.size + this.#releasedAtMs.size === 0) return NONE;
    const sinceMs = this.#sources.clock.monotonicMs() - this.#sources.retainMs();
    for (const [identifier, atMs] of this.#releasedAtMs) {
      if (atMs <= sinceMs) this.#releasedAtMs.delete(identifier);
    }
    const leased = this.leased;
    return residents
      .map((one) => one.instanceIdentifier)
      .filter((identifier) => leased.includes(identifier) || this.#releasedAtMs.has(identifier));
  }

  /** Call before a round lists the residents. */
  beginRound(): number {
    this.#round += 1;
    return this.#round;
  }

  /** @param ownFirst - whether the autopilot's own turn comes now, unless the last turn was its own. */
  takeTurn(ownFirst: boolean): Turn {
    const key = this.#turns.next(this.waitingKeys, ownFirst);
    if (key === OWN_TURN) return this.takeOwnTurn();
    const waiters = [...this.#waiters].filter((waiter) => waiter.key === key);
    const [first] = waiters;
    if (first === undefined) return this.takeOwnTurn();
    // Moved to the end: in the next turn of this target, another request comes first.
    this.#waiters.delete(first);
    this.#waiters.add(first);
    return { key, target: first.target, requests: waiters.map(({ request }) => request) };
  }

  takeOwnTurn(): Turn {
    return { key: this.#turns.take(OWN_TURN), target: null, requests: NONE };
  }

  /** What the catalog is asked about a target; null for a resident that is not known. */
  catalogTarget({ chain, modelKey, instanceIdentifier }: LeaseTarget): CatalogTarget | null {
    if (instanceIdentifier === null) return { chain, modelKey };
    const resident = this.#resident(instanceIdentifier);
    return resident === undefined ? null : { chain, modelKey: resident.modelKey };
  }

  /** Takes a new observation, and gives leases to callers that wait for one of its residents. */
  observe(observed: ObservedResidents): void {
    this.#observed = observed;
    this.#leaving.clear();
    if (observed.fresh) {
      for (const [identifier, round] of this.#failed) {
        if (observed.round > round) this.#failed.delete(identifier);
      }
    }
    for (const waiter of this.#waiters) {
      const lease = this.#grant(waiter.request, (one) => isOffered(one, waiter.target));
      if (lease !== null) this.#settle(waiter, { lease, selection: null });
      else this.#rejectUnknown(waiter, observed);
    }
  }

  /** Blocks new leases on an instance. Call it in the turn of the event loop that read its activity. */
  leave(instanceIdentifier: string): void {
    this.#leaving.add(instanceIdentifier);
  }

  /** Takes the identifier of the decision that was made in a turn. */
  decided({ key, requests }: Turn, decisionId: string | null): void {
    this.#decisionIds.set(key, decisionId);
    for (const waiter of this.#waiters) {
      if (requests.includes(waiter.request)) waiter.considered = true;
    }
    for (const known of this.#decisionIds.keys()) {
      if (known !== OWN_TURN && !this.waitingKeys.has(known)) this.#decisionIds.delete(known);
    }
  }

  /**
   * Answers the callers of a turn for whom nothing will be loaded. If the decision keeps an instance that
   * meets the requirement, the caller gets a lease on that instance, even if it is foreign. Otherwise the
   * caller gets the decision.
   */
  answer(selection: Selection, { requests }: Turn): void {
    const kept = selection.decision === 'keep' ? selection.chosen?.instanceIdentifier : null;
    // Callers that another caller's drain holds up go on waiting: they get their turn after it.
    if (kept !== null && kept !== undefined && this.#sources.isDrained(kept)) return;
    for (const waiter of this.#waiters) {
      if (!requests.includes(waiter.request)) continue;
      const lease = this.#grant(waiter.request, (one) => one.instanceIdentifier === kept);
      this.#settle(waiter, lease === null ? { lease, selection } : { lease, selection: null });
    }
  }

  /** Rejects every waiting caller, because the autopilot stops. */
  close(reason: Error): void {
    this.#closed = reason;
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.reject(reason);
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
    for (const identifier of request.failed ?? NONE) this.#failed.set(identifier, this.#round);
    const asked = this.catalogTarget(target);
    if (asked !== null) {
      const reading = await this.#sources.catalog.find(asked, signal);
      if (asked.modelKey !== null && reading.chain.length === 0) throw unknownModel(asked.modelKey);
    }
    signal?.throwIfAborted();
    if (this.#closed !== null) throw this.#closed;
    const lease = this.#grant(request, (one) => isOffered(one, target));
    return lease === null ? this.#wait(request, target, signal) : { lease, selection: null };
  }

  /** The resident that a request would get at once; null where there is no such resident. */
  find(request: LeaseRequest): Resident | null {
    const target = targetOf(request);
    return this.#find(request, (one) => isOffered(one, target))?.resident ?? null;
  }

  /** Whether a resident meets a request, also where it is foreign. */
  isMet(resident: Resident, request: LeaseRequest): boolean {
    return (
      this.#find(
        request,
        (one) => one === resident || one.instanceIdentifier === resident.instanceIdentifier,
      ) !== null
    );
  }

  #wait(
    request: LeaseRequest,
    target: LeaseTarget,
    signal: AbortSignal | null,
  ): Promise<AcquireResult> {
    return new Promise((resolve, reject) => {
      const forget = (): void => signal?.removeEventListener('abort', onAbort);
      const waiter: Waiter = {
        // A copy, because one object may be passed to several calls.
        request: { ...request },
        target,
        key: targetKey(target),
        round: this.#round,
        considered: false,
        resolve: (result) => {
          forget();
          resolve(result);
        },
        reject: (reason) => {
          forget();
          // The caller's own reason, which may be any value.
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
          reject(reason);
        },
      };
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        waiter.reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
      this.#sources.onWaiting();
    });
  }

  /** Rejects a caller that waits for a resident which a later listing does not have. */
  #rejectUnknown(waiter: Waiter, { fresh, round }: ObservedResidents): void {
    const { instanceIdentifier } = waiter.target;
    if (instanceIdentifier === null || !fresh || round <= waiter.round) return;
    if (this.#resident(instanceIdentifier) !== undefined) return;
    this.#waiters.delete(waiter);
    waiter.reject(
      new AutopilotError(
        'MODEL_NOT_FOUND',
        `No loaded model has the identifier ${JSON.stringify(instanceIdentifier)}. It may have been unloaded.`,
      ),
    );
  }

  #settle(waiter: Waiter, result: AcquireResult): void {
    this.#waiters.delete(waiter);
    waiter.resolve(result);
  }

  #grant(request: LeaseRequest, offered: (resident: Resident) => boolean): Lease | null {
    const found = this.#find(request, offered);
    if (found === null) return null;
    const { resident, facts, contextLengthTokens } = found;
    const { instanceIdentifier, modelKey } = resident;
    const key = Symbol(instanceIdentifier);
    this.#held.set(key, instanceIdentifier);
    const release = (): void => {
      if (!this.#held.delete(key)) return;
      this.#releasedAtMs.set(instanceIdentifier, this.#sources.clock.monotonicMs());
    };
    return {
      ...{ instanceIdentifier, modelKey, contextLengthTokens },
      tier: facts.tier,
      capabilities: facts.capabilities,
      decisionId:
        this.#decisionIds.get(targetKey(targetOf(request))) ??
        this.#decisionIds.get(OWN_TURN) ??
        null,
      release,
      [Symbol.dispose]: release,
    };
  }

  /** The resident that a request gets: in order of the chain, where several meet it. */
  #find(request: LeaseRequest, offered: (resident: Resident) => boolean) {
    const asked = this.catalogTarget(targetOf(request));
    const reading = asked === null ? null : this.#sources.catalog.recall(asked);
    if (reading === null) return null;
    const usable = (this.#observed?.residents ?? NONE).flatMap((resident) => {
      const { instanceIdentifier, modelKey } = resident;
      if (!offered(resident) || !this.#mayLease(instanceIdentifier)) return [];
      const facts = profileOf(reading, modelKey);
      const contextLengthTokens = this.#contextOf(resident);
      return facts !== null && meetsRequirement(facts, contextLengthTokens, request)
        ? [{ resident, facts, contextLengthTokens, position: positionIn(reading, modelKey) }]
        : [];
    });
    return usable.sort((one, other) => one.position - other.position)[0] ?? null;
  }

  #mayLease(instanceIdentifier: string): boolean {
    return (
      !this.#leaving.has(instanceIdentifier) &&
      !this.#failed.has(instanceIdentifier) &&
      !this.#sources.isDrained(instanceIdentifier)
    );
  }

  #contextOf({ instanceIdentifier }: Resident): number | null {
    const instance = this.#observed?.instances.find(
      (one) => one.instanceIdentifier === instanceIdentifier,
    );
    return instance === undefined ? null : loadConfigOf(instance).contextLengthTokens;
  }

  #resident(instanceIdentifier: string): Resident | undefined {
    return this.#observed?.residents.find((one) => one.instanceIdentifier === instanceIdentifier);
  }
}

/** Whether a target may get a resident before a decision. Foreign residents serve only who names them. */
function isOffered(
  { foreign, modelKey, instanceIdentifier }: Resident,
  target: LeaseTarget,
): boolean {
  if (target.instanceIdentifier !== null) return instanceIdentifier === target.instanceIdentifier;
  return target.modelKey === null ? !foreign : modelKey === target.modelKey;
}

function positionIn({ chain }: CatalogReading, modelKey: string): number {
  const index = chain.findIndex((one) => one.modelKey === modelKey);
  return index === -1 ? chain.length : index;
}

function unknownModel(modelKey: string): AutopilotError {
  return new AutopilotError(
    'MODEL_NOT_FOUND',
    `There is no model ${JSON.stringify(modelKey)} on the disk or in the configuration.`,
  );
}
