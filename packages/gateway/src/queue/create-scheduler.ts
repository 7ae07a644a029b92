import type { Clock } from '../ports/clock.js';
import type { LivePort } from '../ports/live-port.js';
import type { ServingCatalog, ServingChange, ServingLease } from '../ports/serving-port.js';
import { laneServes, takesPrompt, type Lane } from './lanes/lane.js';
import { Lanes } from './lanes/lanes.js';
import { DEFAULT_SCHEDULER_LIMITS, type SchedulerLimits } from './limits.js';
import { KnownCatalog } from './known-catalog.js';
import { LoadGroups } from './loading/load-groups.js';
import { groupKeyOf, type Group } from './loading/group.js';
import { Loads } from './loading/loads.js';
import type { LaneRequest, Place, PlaceRequest, Scheduler, SchedulerState } from './scheduler.js';
import { failureOfMachine, modelLoading, stopping } from './failures/scheduling-failures.js';
import { createTicket, type Ticket } from './ticket.js';
import { WaitingLine } from './waiting-line.js';

/** The parts and bounds of a scheduler. */
export interface SchedulerOptions {
  readonly port: LivePort;
  readonly clock: Clock;
  /** Bounds that differ from `DEFAULT_SCHEDULER_LIMITS`. */
  readonly limits?: Partial<SchedulerLimits>;
}

/** Interval in which waiting requests are looked at for due signs. */
const TELL_INTERVAL_MS = 1000;

/**
 * Creates a scheduler.
 *
 * 1. A request that an open lane serves starts at once. A lane is a lease on a resident, kept while requests run on it and
 *    for a short linger time after the last one.
 * 2. The other requests wait. Requests with the same conditions form a group, for which the machine is asked once. In a
 *    fleet, the machine is asked for each other request of a group separately, once the answer for the oldest one takes long.
 * 3. A group whose load unloads nothing in use asks at once. Otherwise it waits until the residents in its way were idle
 *    for a moment, or have had their turn. Then these take no new requests, and their leases end with their last request.
 *    One such group at a time.
 * 4. A request that would wait past its deadline is refused with `model_loading`, and the model is loaded nevertheless.
 */
export function createScheduler({ port, clock, limits = {} }: SchedulerOptions): Scheduler {
  return new LaneScheduler(port, clock, { ...DEFAULT_SCHEDULER_LIMITS, ...limits });
}

class LaneScheduler implements Scheduler {
  readonly #clock: Clock;
  readonly #line: WaitingLine;
  readonly #lanes: Lanes;
  readonly #catalog: KnownCatalog;
  readonly #groups: LoadGroups;
  readonly #loads = new Loads();
  readonly #unsubscribe: () => void;
  /** Number of places that were given and not released. */
  #openPlaces = 0;
  readonly #onIdle: (() => void)[] = [];
  #phase: 'serving' | 'draining' | 'ended' = 'serving';
  #sequence = 0;
  #isPumping = false;
  #pumpAgain = false;
  #cancelTimer: (() => void) | null = null;

  constructor(port: LivePort, clock: Clock, limits: SchedulerLimits) {
    this.#clock = clock;
    this.#catalog = new KnownCatalog(port);
    this.#line = new WaitingLine(limits);
    this.#lanes = new Lanes(clock, limits, () => this.#pump());
    this.#groups = new LoadGroups({
      port,
      clock,
      limits,
      lanes: this.#lanes,
      loads: this.#loads,
      granted: (group, lease, verified) => this.#onGranted(group, lease, verified),
      failed: (group, error) => {
        const failure = failureOfMachine(error, group.wanted, this.#catalog.last);
        for (const ticket of [...group.tickets]) this.#refuse(ticket, failure);
      },
      changed: () => this.#pump(),
    });
    this.#unsubscribe = port.onChange((change) => this.#onChange(change));
  }

  tryPlace(request: LaneRequest): Place | null {
    const catalog = this.#catalog.isOutdated ? null : this.#catalog.last;
    if (catalog === null || this.#phase !== 'serving') return null;
    const lane = this.#lanes.best(request.wanted, groupKeyOf(request.wanted), catalog);
    const isFree = lane !== null && takesPrompt(lane, request.promptTokens, catalog);
    return isFree ? this.#start(request, lane, 0) : null;
  }

  async place(request: PlaceRequest): Promise<Place> {
    const { wanted, signal } = request;
    signal.throwIfAborted();
    if (this.#isClosedTo(request)) throw stopping();
    const catalog = await this.#catalog.read(signal);
    signal.throwIfAborted();
    if (this.#isClosedTo(request)) throw stopping();
    const groupKey = groupKeyOf(wanted);
    const lane = this.#lanes.best(wanted, groupKey, catalog);
    const isFree = lane !== null && takesPrompt(lane, request.promptTokens, catalog);
    if (isFree) return this.#start(request, lane, 0);
    const refusal = this.#line.refusal(request.client);
    if (refusal !== null) throw refusal;
    return new Promise((resolve, reject) => {
      const ticket = createTicket(
        { request, groupKey, sequence: this.#sequence++, resolve, reject },
        this.#clock,
        {
          aborted: () => this.#refuse(ticket, signal.reason),
          late: () => this.#refuseLate(ticket),
        },
      );
      this.#line.add(ticket);
      this.#groups.join(ticket);
      this.#pump();
    });
  }

  state(): SchedulerState {
    const nowMs = this.#clock.monotonicMs();
    return {
      lanes: [...this.#lanes.all].map(({ lease, running, state }) => ({
        modelKey: lease.modelKey,
        instanceIdentifier: lease.instanceIdentifier,
        running,
        draining: state !== 'open',
      })),
      waiting: this.#line.size,
      oldestWaitMs: Math.max(0, ...[...this.#line].map(({ sinceMs }) => nowMs - sinceMs)),
      loading: this.#loads.current,
    };
  }

  async drain(): Promise<void> {
    if (this.#phase === 'serving') this.#phase = 'draining';
    if (this.#phase === 'draining') {
      await new Promise<void>((resolve) => {
        this.#onIdle.push(resolve);
        this.#pump();
      });
    }
    await this.#lanes.released();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    await this.#lanes.released();
  }

  /** While the scheduler drains, it still serves a request that has failed on a resident: the request is not new. */
  #isClosedTo({ again }: PlaceRequest): boolean {
    return this.#phase === 'ended' || (this.#phase === 'draining' && !again);
  }

  /** Opens a lane for a group and starts its requests. */
  #onGranted({ key }: Group, lease: ServingLease, verified: boolean): void {
    const lane = this.#lanes.open(lease, key, verified);
    const catalog = this.#catalog.last;
    if (lane === null || catalog === null) return;
    // These requests start even where the resident was closed to new ones meanwhile: the machine gave it for them.
    let places = lease.forOneRequest ? 1 : Infinity;
    for (const ticket of this.#line.ordered(this.#clock.monotonicMs())) {
      const { wanted } = ticket.request;
      if (places === 0) break;
      if (ticket.groupKey !== key || !laneServes(lane, wanted, key, catalog)) continue;
      if (this.#startOrAwait(ticket, lane, catalog)) places -= 1;
    }
    this.#lanes.settle(lane);
  }

  #start({ client, promptTokens }: LaneRequest, lane: Lane, waitedMs: number): Place {
    const tokens = promptTokens(lane.lease.modelKey);
    this.#line.served(client);
    this.#lanes.start(lane, tokens);
    this.#openPlaces += 1;
    let isReleased = false;
    return {
      lease: lane.lease,
      waitedMs,
      release: (outcome) => {
        if (isReleased) return;
        isReleased = true;
        this.#openPlaces -= 1;
        if (outcome === 'failed') {
          // Another host looks at its residents itself. The failed request names this one, and later requests may go there again.
          if (lane.lease.peer === null) this.#groups.reportFailed(lane.lease.instanceIdentifier);
          this.#lanes.closeResident(lane.lease.instanceIdentifier);
        }
        this.#lanes.finish(lane, tokens);
        this.#pump();
      },
    };
  }

  /** Starts a waiting request where the lane has room for it. Otherwise long prompts behind it wait, too. Returns whether it started. */
  #startOrAwait(ticket: Ticket, lane: Lane, catalog: ServingCatalog): boolean {
    const isFree = takesPrompt(lane, ticket.request.promptTokens, catalog);
    if (!isFree) lane.isAwaited = true;
    if (!isFree || !this.#line.remove(ticket)) return false;
    ticket.resolve(this.#start(ticket.request, lane, this.#clock.monotonicMs() - ticket.sinceMs));
    this.#groups.leave(ticket);
    return true;
  }

  #refuse(ticket: Ticket, reason: unknown): void {
    if (!this.#line.remove(ticket)) return;
    this.#groups.leave(ticket);
    ticket.reject(reason);
    this.#pump();
  }

  /** Refuses a request that would wait past its deadline. The load goes on, so that the client finds the model later. */
  #refuseLate(ticket: Ticket): void {
    const modelKey = this.#groups.modelOf(ticket.groupKey);
    const remainingMs =
      this.#groups.remainingMs(ticket.groupKey) ?? this.#loads.expectedMs(modelKey, null);
    if (this.#phase === 'serving') this.#groups.promise(ticket);
    this.#refuse(ticket, modelLoading(modelKey, remainingMs));
  }

  #onChange(change: ServingChange): void {
    this.#loads.onChange(change, this.#catalog.last);
    if (change.type === 'draining') this.#lanes.drain(change.instanceIdentifier);
    if (change.type === 'switched') this.#lanes.switched();
    if (change.type === 'switched' || change.type === 'catalog') {
      this.#groups.outdate();
      this.#catalog.outdate();
    }
    this.#pump();
  }

  /** Starts the requests that can start, takes the next step of each group, and sends signs to the waiting clients. */
  #pump(): void {
    if (this.#phase === 'ended') return;
    this.#pumpAgain = true;
    // The usual case, in which each request starts at once: nobody waits, and nothing is to be loaded.
    const isIdle = this.#line.size === 0 && this.#groups.isEmpty && this.#cancelTimer === null;
    if (this.#isPumping || (isIdle && this.#phase === 'serving')) return;
    this.#isPumping = true;
    let againAtMs = Infinity;
    while (this.#pumpAgain) {
      this.#pumpAgain = false;
      const catalog = this.#catalog.last;
      againAtMs = catalog === null ? Infinity : this.#advance(catalog);
    }
    this.#isPumping = false;
    if (this.#phase === 'draining' && this.#line.size === 0 && this.#openPlaces === 0) {
      this.#end();
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    const signAtMs = this.#line.tell(nowMs, this.#loads.current);
    if (this.#line.size > 0) againAtMs = Math.min(againAtMs, signAtMs, nowMs + TELL_INTERVAL_MS);
    this.#cancelTimer?.();
    this.#cancelTimer =
      againAtMs === Infinity
        ? null
        : this.#clock.setTimer(Math.max(1, againAtMs - nowMs), () => this.#pump());
  }

  #advance(catalog: ServingCatalog): number {
    const ordered = this.#line.ordered(this.#clock.monotonicMs());
    for (const lane of this.#lanes.all) lane.isAwaited = false;
    for (const ticket of ordered) {
      const lane = this.#lanes.best(ticket.request.wanted, ticket.groupKey, catalog);
      if (lane !== null) this.#startOrAwait(ticket, lane, catalog);
    }
    if (this.#groups.isEmpty) return Infinity;
    // With an old catalog, a group might ask for a resident that is gone, and so cause a load out of turn.
    if (this.#catalog.isOutdated) {
      this.#catalog.refresh(() => this.#pump());
      return Infinity;
    }
    const waiting = ordered.filter((ticket) => this.#line.has(ticket));
    const againAtMs = this.#groups.advance(waiting, catalog);
    const nowMs = this.#clock.monotonicMs();
    for (const ticket of [...this.#line]) {
      const remainingMs = this.#groups.remainingMs(ticket.groupKey) ?? -Infinity;
      if (nowMs + remainingMs > ticket.deadlineAtMs) this.#refuseLate(ticket);
    }
    return againAtMs;
  }

  #end(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#unsubscribe();
    this.#cancelTimer?.();
    for (const ticket of [...this.#line]) {
      this.#line.remove(ticket);
      ticket.reject(stopping());
    }
    this.#groups.clear();
    this.#lanes.endAll();
    for (const resolve of this.#onIdle) resolve();
  }
}
