import type { LivePort } from '../../ports/live-port.js';
import type { ServingCatalog, ServingLease } from '../../ports/serving-port.js';
import { CancelledLoads } from './cancelled-loads.js';
import { FailedResidents } from './failed-residents.js';
import { gaveUp, newGroup, oldestPrompt, splitGroup, type Group } from './group.js';
import { LoadTurn, type LoadTurnParts } from './load-turn.js';
import { residentsThatServe } from '../serves.js';
import type { Ticket } from '../ticket.js';

/** Parts and callbacks of the groups. */
export interface LoadGroupsParts extends LoadTurnParts {
  readonly port: LivePort;
  /** A lease was given for a group. `verified`: the machine has listed its residents again after the failure of the resident. */
  readonly granted: (group: Group, lease: ServingLease, verified: boolean) => void;
  readonly failed: (group: Group, error: unknown) => void;
  /** Something has changed that may let requests start. */
  readonly changed: () => void;
}

/**
 * In a fleet, the other requests of a group no longer wait for an acquire that has been open for this time: it waits for a load on
 * one host, and another host may serve them. Milliseconds.
 */
const SPLIT_AFTER_MS = 500;
/** Maximum number of groups of requests with the same conditions. Each acquire costs the machine a decision. */
const SPLITS_MAX = 8;
/** How long a load goes on for a client that was asked to try again later. */
const PROMISE_MS = 60_000;
const FRUITLESS_PAUSE_MS = 250;
const FRUITLESS_PAUSE_MAX_MS = 10_000;
/** The reason of an acquire that is cancelled because its resident was unloaded. */
const UNLOADED = new DOMException('The model was unloaded before it was leased.', 'AbortError');

/** Decides when the machine is asked for a lease for waiting requests. */
export class LoadGroups {
  readonly #parts: LoadGroupsParts;
  readonly #groups = new Map<string, Group>();
  readonly #failed = new FailedResidents();
  readonly #cancelled: CancelledLoads;
  readonly #turn: LoadTurn;
  #epoch = 0;
  #splits = 0;

  constructor(parts: LoadGroupsParts) {
    this.#parts = parts;
    this.#turn = new LoadTurn(parts);
    this.#cancelled = new CancelledLoads(parts.clock);
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  join(ticket: Ticket): void {
    const { groupKey: key, request } = ticket;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = newGroup(key, { ...request.wanted, failed: [] }, this.#cancelled.has(key));
      this.#groups.set(key, group);
    }
    group.tickets.add(ticket);
  }

  /**
   * Removes a ticket. The acquire is cancelled where nobody else waits for it, and the machine then ends its load. A load that
   * was cancelled a short time ago and began again is not cancelled a second time. Otherwise a client whose own time limit is
   * shorter than the load would begin it again and again, and would never be served.
   */
  leave(ticket: Ticket): void {
    const group = this.#groups.get(ticket.groupKey);
    if (group?.tickets.delete(ticket) !== true) return;
    if (ticket.request.signal.aborted && group.phase === 'acquiring' && group.tickets.size === 0) {
      if (group.isRepeated) this.promise(ticket);
      else if (group.promised === null) this.#cancelled.add(group.sharedKey);
    }
    this.#dropUnwanted(group);
  }

  /** Keeps the load for a ticket that is refused because the load takes too long. */
  promise({ groupKey, sinceMs }: Ticket): void {
    const group = this.#groups.get(groupKey);
    if (group === undefined) return;
    const untilMs = this.#now() + (this.#turn.remainingMs(group) ?? 0) + PROMISE_MS;
    group.promised = { sinceMs: group.promised?.sinceMs ?? sinceMs, untilMs };
  }

  /** Notes a failed resident. Later requests for a lease name it, until the machine gives it again. */
  reportFailed(identifier: string): void {
    this.#failed.add(identifier);
  }

  /** Call after a change of models or residents: plans are made again. */
  outdate(): void {
    this.#epoch += 1;
  }

  /** Cancels everything. */
  clear(): void {
    for (const group of this.#groups.values()) group.acquire?.stop.abort(gaveUp());
    this.#groups.clear();
    this.#turn.clear();
  }

  /** Expected time until a group's model serves; null where it is not known. */
  remainingMs(key: string): number | null {
    const group = this.#groups.get(key);
    return group === undefined ? null : this.#turn.remainingMs(group);
  }

  /** The model that a group waits for; null where it is not known. */
  modelOf(key: string): string | null {
    return this.#groups.get(key)?.plan?.modelKey ?? null;
  }

  /**
   * Takes the next step for each group, in the order of the tickets' claims.
   *
   * @returns when to call again, in monotonic milliseconds; Infinity where only an event can change something
   */
  advance(ordered: readonly Ticket[], catalog: ServingCatalog): number {
    let againAtMs = catalog.hosts === null ? Infinity : this.#split();
    const keys = new Set([...ordered.map(({ groupKey }) => groupKey), ...this.#groups.keys()]);
    for (const key of keys) {
      const group = this.#groups.get(key);
      if (group === undefined) continue;
      againAtMs = Math.min(
        againAtMs,
        this.#step(group, catalog),
        group.promised?.untilMs ?? Infinity,
      );
    }
    return againAtMs;
  }

  /** Splits the groups whose acquire has been open for long. Returns when the next one is due, in monotonic milliseconds. */
  #split(): number {
    const groups = [...this.#groups.values()];
    let againAtMs = Infinity;
    for (const group of groups) {
      const { acquire, tickets, sharedKey } = group;
      if (acquire === null || tickets.size < 2) continue;
      if (groups.filter((one) => one.sharedKey === sharedKey).length >= SPLITS_MAX) continue;
      const dueMs = acquire.startedMs + SPLIT_AFTER_MS;
      if (this.#now() < dueMs) {
        againAtMs = Math.min(againAtMs, dueMs);
        continue;
      }
      this.#splits += 1;
      const rest = splitGroup(group, `${sharedKey}\0${this.#splits}`);
      this.#groups.set(rest.key, rest).set(group.key, group);
    }
    return againAtMs;
  }

  #step(group: Group, catalog: ServingCatalog): number {
    const { lanes } = this.#parts;
    const nowMs = this.#now();
    if (group.promised !== null && nowMs >= group.promised.untilMs) group.promised = null;
    if (this.#dropUnwanted(group)) return Infinity;
    if (group.acquire?.forResident === true) this.#endVain(group.acquire.stop, group, catalog);
    if (group.phase !== 'idle') return Infinity;
    if (nowMs < group.notBeforeMs) return group.notBeforeMs;
    const failed = this.#failed.namedWith(group);
    if (this.#turn.isExclusive(group)) {
      if (!this.#turn.waitsForLeases) this.#acquire(group, failed);
      return Infinity;
    }
    const serving = residentsThatServe(group.wanted, catalog)
      .map(({ instanceIdentifier }) => instanceIdentifier)
      .filter((identifier) => !failed.includes(identifier));
    if (serving.some((identifier) => !lanes.isHeld(identifier))) {
      // A lane that serves the group has no room for its requests now. They start when a request on it ends.
      if (lanes.best(group.wanted, group.key, catalog) !== null) return Infinity;
      group.plan = null;
      this.#acquire(group, failed);
      return Infinity;
    }
    // The resident is about to be unloaded. Whether it serves again is known after the switch.
    if (serving.length > 0) return nowMs + 1000;
    if (group.plan === null || group.planEpoch !== this.#epoch) {
      this.#makePlan(group, failed);
      return Infinity;
    }
    const againAtMs = this.#turn.take(group, group.plan);
    if (againAtMs === null) this.#acquire(group, failed);
    return againAtMs ?? Infinity;
  }

  #makePlan(group: Group, failed: readonly string[]): void {
    group.phase = 'planning';
    const epoch = this.#epoch;
    this.#parts.port.plan({ ...group.wanted, failed }).then(
      (plan) => {
        group.phase = 'idle';
        group.plan = plan;
        group.planEpoch = epoch;
        this.#parts.changed();
      },
      (error: unknown) => {
        group.phase = 'idle';
        this.#settleFailed(group, error);
      },
    );
  }

  #acquire(group: Group, failed: readonly string[]): void {
    const { port } = this.#parts;
    const stop = new AbortController();
    group.phase = 'acquiring';
    group.acquire = { stop, startedMs: this.#now(), forResident: group.plan === null };
    const request = { ...group.wanted, ...oldestPrompt(group), failed };
    void this.#turn
      .begin(group)
      .then(() => port.acquire(request, { signal: stop.signal }))
      .then(
        (lease) => {
          this.#endAcquire(group);
          this.#settleGranted(group, lease, failed);
          this.#parts.changed();
        },
        (error: unknown) => {
          this.#endAcquire(group);
          if (error === UNLOADED) this.#parts.changed();
          else this.#settleFailed(group, error);
        },
      );
  }

  /**
   * Cancels an acquire for a resident that the machine has unloaded meanwhile, for another load. The machine would load it again out of
   * turn, and unload what other requests use. The group then waits for its turn.
   */
  #endVain(stop: AbortController, { wanted }: Group, catalog: ServingCatalog): void {
    // The residents are not settled within a load, and the hosts of a fleet load by themselves.
    if (this.#parts.loads.current !== null || catalog.hosts !== null) return;
    if (residentsThatServe(wanted, catalog).length === 0) stop.abort(UNLOADED);
  }

  #settleGranted(group: Group, lease: ServingLease, named: readonly string[]): void {
    const { lanes, granted } = this.#parts;
    const { instanceIdentifier } = lease;
    const verified = named.includes(instanceIdentifier);
    const waiting = group.tickets.size;
    if (verified) this.#failed.delete(instanceIdentifier);
    // A resident that has failed since the machine was asked is not used before it was looked at again.
    const isUsable = !this.#failed.has(instanceIdentifier);
    if (this.#groups.get(group.key) !== group || !isUsable) {
      lanes.releaseUnused(lease);
      return;
    }
    group.promised = null;
    granted(group, lease, verified);
    this.#paceFruitless(group, waiting);
    this.#dropUnwanted(group);
  }

  #endAcquire(group: Group): void {
    group.phase = 'idle';
    group.acquire = null;
    group.plan = null;
    this.outdate();
    this.#turn.end(group);
  }

  #settleFailed(group: Group, error: unknown): void {
    if (this.#groups.get(group.key) === group) {
      group.promised = null;
      this.#parts.failed(group, error);
      this.#dropUnwanted(group);
    }
    this.#parts.changed();
  }

  /** Delays the next acquire where the machine gives leases that serve nobody, such as ones that are lost at once. */
  #paceFruitless(group: Group, waiting: number): void {
    if (waiting === 0 || group.tickets.size < waiting) {
      group.fruitless = 0;
      return;
    }
    const pauseMs = Math.min(FRUITLESS_PAUSE_MAX_MS, FRUITLESS_PAUSE_MS * 2 ** group.fruitless);
    group.fruitless += 1;
    group.notBeforeMs = this.#now() + pauseMs;
  }

  #dropUnwanted(group: Group): boolean {
    if (group.tickets.size > 0 || group.promised !== null) return false;
    if (this.#groups.get(group.key) === group) this.#groups.delete(group.key);
    group.acquire?.stop.abort(gaveUp());
    if (group.phase !== 'acquiring') this.#turn.end(group);
    return true;
  }

  #now(): number {
    return this.#parts.clock.monotonicMs();
  }
}
