import type { Clock } from '../../ports/clock.js';
import type { ServingCatalog, ServingLease, ServingRequest } from '../../ports/serving-port.js';
import type { SchedulerLimits } from '../limits.js';
import { laneServes, type Lane } from './lane.js';
import { ResidentUse } from './resident-use.js';
import { preferenceRank, residentsThatServe } from '../serves.js';

/** A resident counts as draining for this time after the machine has said so, in case the end of the switch is missed. */
const DRAINING_MAX_MS = 60_000;

/** The lanes: which requests they take, and when their leases end. */
export class Lanes {
  /** The use of the lanes' residents. */
  readonly use: ResidentUse;
  readonly #clock: Clock;
  readonly #limits: SchedulerLimits;
  readonly #changed: () => void;
  readonly #lanes = new Set<Lane>();
  readonly #draining = new Map<string, number>();
  readonly #yielding = new Set<string>();
  readonly #releases = new Set<Promise<void>>();

  /** @param changed - called when a lane has ended by itself */
  constructor(clock: Clock, limits: SchedulerLimits, changed: () => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#changed = changed;
    this.use = new ResidentUse(clock, limits, this.#lanes);
  }

  get all(): ReadonlySet<Lane> {
    return this.#lanes;
  }

  /**
   * Opens a lane with a lease. Where an open lane has the resident, that lane is returned and the lease is released, unless
   * the lease is for one request.
   */
  open(lease: ServingLease, groupKey: string, verified: boolean): Lane | null {
    const identifier = lease.instanceIdentifier;
    if (lease.lost.aborted) {
      this.#release(lease);
      return null;
    }
    for (const lane of this.#lanes) {
      if (lane.state !== 'open' || lane.lease.instanceIdentifier !== identifier) continue;
      if (lease.forOneRequest || lane.lease.forOneRequest) continue;
      this.#release(lease);
      lane.grantedTo.add(groupKey);
      lane.verified ||= verified;
      return lane;
    }
    const onLost = (): void => {
      this.#end(lane);
      this.#changed();
    };
    const lane: Lane = {
      lease,
      grantedTo: new Set([groupKey]),
      verified,
      running: 0,
      prompts: [],
      isAwaited: false,
      state: this.#heldState(identifier) ?? 'open',
      idleSinceMs: this.#clock.monotonicMs(),
      cancelLinger: null,
      forget: () => lease.lost.removeEventListener('abort', onLost),
    };
    lease.lost.addEventListener('abort', onLost, { once: true });
    this.#lanes.add(lane);
    this.use.touch(identifier);
    return lane;
  }

  /**
   * The open lane that serves a request best: the most preferred of its chain, then the least busy. Null where a resident
   * without a lane is more preferred: the machine can lease that resident without a load.
   */
  best(wanted: ServingRequest, groupKey: string, catalog: ServingCatalog): Lane | null {
    let best: Lane | null = null;
    let bestRank = Infinity;
    for (const lane of this.#lanes) {
      if (lane.state !== 'open' || lane.lease.forOneRequest) continue;
      if (!laneServes(lane, wanted, groupKey, catalog)) continue;
      const rank = preferenceRank(lane.lease.modelKey, wanted, catalog);
      if (rank > bestRank || (rank === bestRank && lane.running >= (best?.running ?? 0))) continue;
      best = lane;
      bestRank = rank;
    }
    return bestRank > 0 && best !== null && this.#hasBetter(wanted, bestRank, catalog)
      ? null
      : best;
  }

  #hasBetter(wanted: ServingRequest, rank: number, catalog: ServingCatalog): boolean {
    return residentsThatServe(wanted, catalog).some(
      ({ modelKey, instanceIdentifier }) =>
        preferenceRank(modelKey, wanted, catalog) < rank &&
        !wanted.failed.includes(instanceIdentifier) &&
        this.#heldState(instanceIdentifier) === null &&
        ![...this.#lanes].some(({ lease }) => lease.instanceIdentifier === instanceIdentifier),
    );
  }

  /** A request with a prompt of this size begins on a lane. */
  start(lane: Lane, promptTokens: number): void {
    lane.running += 1;
    lane.prompts.push(promptTokens);
    this.use.touch(lane.lease.instanceIdentifier);
  }

  /** A request with a prompt of this size has ended on a lane. */
  finish(lane: Lane, promptTokens: number): void {
    lane.running -= 1;
    lane.prompts.splice(lane.prompts.indexOf(promptTokens), 1);
    if (!this.#lanes.has(lane)) return;
    lane.idleSinceMs = this.#clock.monotonicMs();
    this.use.touch(lane.lease.instanceIdentifier);
    this.settle(lane);
  }

  /** Closes the lanes of a resident that has failed. Their leases are released with their last request. */
  closeResident(identifier: string): void {
    for (const lane of this.#lanes) {
      if (lane.lease.instanceIdentifier !== identifier) continue;
      lane.state = 'closed';
      this.settle(lane);
    }
  }

  /** Releases the lease of an idle lane: at once where it takes no further request, else after the linger time. */
  settle(lane: Lane): void {
    if (lane.running > 0 || !this.#lanes.has(lane)) return;
    if (lane.state !== 'open' || lane.lease.forOneRequest) {
      this.#end(lane);
      return;
    }
    this.#linger(lane, this.#limits.lingerMs);
  }

  /** A timer that runs goes on through the next requests, because a timer for each request costs more than the lane itself. */
  #linger(lane: Lane, ms: number): void {
    lane.cancelLinger ??= this.#clock.setTimer(ms, () => {
      lane.cancelLinger = null;
      if (lane.running > 0) return;
      const leftMs = lane.idleSinceMs + this.#limits.lingerMs - this.#clock.monotonicMs();
      if (leftMs > 0) {
        this.#linger(lane, leftMs);
        return;
      }
      this.#end(lane);
      this.#changed();
    });
  }

  /** The machine waits until a resident is idle. */
  drain(identifier: string): void {
    this.#draining.set(identifier, this.#clock.monotonicMs());
    this.#hold(identifier, 'draining');
  }

  /** A switch of the machine has ended: residents that were draining serve again. */
  switched(): void {
    this.#draining.clear();
    this.#reopen();
  }

  /** Closes residents to new requests, because waiting requests need their memory. */
  yield(identifiers: readonly string[]): void {
    for (const identifier of identifiers) {
      this.#yielding.add(identifier);
      this.#hold(identifier, 'yielding');
    }
  }

  /** Ends `yield`. What is still leased serves again. */
  endYield(): void {
    this.#yielding.clear();
    this.#reopen();
  }

  /** Whether a resident takes no new requests. */
  isHeld(identifier: string): boolean {
    return this.#heldState(identifier) !== null;
  }

  /** Whether a lane has a lease on one of the residents. */
  hasLease(identifiers: readonly string[]): boolean {
    return [...this.#lanes].some(({ lease }) => identifiers.includes(lease.instanceIdentifier));
  }

  /** Resolves when the releases that have begun are done. */
  async released(): Promise<void> {
    await Promise.all(this.#releases);
  }

  /** Ends every lane. */
  endAll(): void {
    for (const lane of this.#lanes) this.#end(lane);
  }

  /** Releases a lease that no lane needs. */
  releaseUnused(lease: ServingLease): void {
    this.#release(lease);
  }

  #hold(identifier: string, state: 'draining' | 'yielding'): void {
    for (const lane of this.#lanes) {
      if (lane.lease.instanceIdentifier !== identifier || lane.state === 'closed') continue;
      lane.state = state;
      this.settle(lane);
    }
  }

  #heldState(identifier: string): 'draining' | 'yielding' | null {
    if (this.#yielding.has(identifier)) return 'yielding';
    const sinceMs = this.#draining.get(identifier);
    if (sinceMs === undefined) return null;
    if (this.#clock.monotonicMs() - sinceMs < DRAINING_MAX_MS) return 'draining';
    this.#draining.delete(identifier);
    return null;
  }

  #reopen(): void {
    for (const lane of this.#lanes) {
      if (lane.state === 'closed') continue;
      lane.state = this.#heldState(lane.lease.instanceIdentifier) ?? 'open';
    }
  }

  #end(lane: Lane): void {
    if (!this.#lanes.delete(lane)) return;
    lane.state = 'closed';
    lane.cancelLinger?.();
    lane.cancelLinger = null;
    lane.forget();
    this.#release(lane.lease);
  }

  #release(lease: ServingLease): void {
    const release = lease.release().finally(() => this.#releases.delete(release));
    this.#releases.add(release);
  }
}
