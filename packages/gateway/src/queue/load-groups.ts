import type { Clock } from '../ports/clock.js';
import type { LivePort } from '../ports/live-port.js';
import type { ServingCatalog, ServingLease, ServingPlan } from '../ports/serving-port.js';
import type { Lanes } from './lanes.js';
import type { SchedulerLimits } from './limits.js';
import type { Loads } from './loads.js';
import { FailedResidents } from './failed-residents.js';
import { gaveUp, newGroup, oldestPrompt, sinceOf, type Group } from './group.js';
import { residentsThatServe } from './serves.js';
import type { Ticket } from './ticket.js';

/** Parts and callbacks of the groups. */
export interface LoadGroupsParts {
  readonly port: LivePort;
  readonly clock: Clock;
  readonly limits: SchedulerLimits;
  readonly lanes: Lanes;
  readonly loads: Loads;
  /** A lease was given for a group. `verified`: the machine has looked at the resident again after its failure. */
  readonly granted: (group: Group, lease: ServingLease, verified: boolean) => void;
  readonly failed: (group: Group, error: unknown) => void;
  /** Something has changed that may let requests start. */
  readonly changed: () => void;
}

/** How long a model is still loaded after the last client was told to come back. */
const PROMISE_MS = 60_000;
const FRUITLESS_PAUSE_MS = 250;
const FRUITLESS_PAUSE_MAX_MS = 10_000;

/** Decides when the machine is asked for a lease for waiting requests. */
export class LoadGroups {
  readonly #parts: LoadGroupsParts;
  readonly #groups = new Map<string, Group>();
  readonly #failed = new FailedResidents();
  /** The group for which residents in use are unloaded, and these residents. */
  #exclusive: { readonly group: Group; readonly unloads: readonly string[] } | null = null;
  /** The group whose open acquire loads a model. */
  #loading: Group | null = null;
  #epoch = 0;

  constructor(parts: LoadGroupsParts) {
    this.#parts = parts;
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  join(ticket: Ticket): void {
    const { groupKey: key, request } = ticket;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = newGroup(key, { ...request.wanted, failed: [] });
      this.#groups.set(key, group);
    }
    group.tickets.add(ticket);
  }

  /** Removes a ticket. The acquire is cancelled where nobody else waits for it. */
  leave(ticket: Ticket): void {
    const group = this.#groups.get(ticket.groupKey);
    if (group?.tickets.delete(ticket) === true) this.#dropUnwanted(group);
  }

  /** Goes on loading for a ticket that is refused because the load takes too long. */
  promise({ groupKey, sinceMs }: Ticket): void {
    const group = this.#groups.get(groupKey);
    if (group === undefined) return;
    const untilMs = this.#now() + (this.#remainingMs(group) ?? 0) + PROMISE_MS;
    group.promised = { sinceMs: group.promised?.sinceMs ?? sinceMs, untilMs };
  }

  /** A resident has failed. The next acquires name it until the machine gives it again. */
  reportFailed(identifier: string): void {
    this.#failed.add(identifier);
  }

  /** Models or residents have changed: plans are made again. */
  outdate(): void {
    this.#epoch += 1;
  }

  /** Cancels everything. */
  clear(): void {
    for (const group of this.#groups.values()) group.acquire?.stop.abort(gaveUp());
    this.#groups.clear();
    this.#exclusive = null;
  }

  /** Expected time until a group's model serves; null where it is not known. */
  remainingMs(key: string): number | null {
    const group = this.#groups.get(key);
    return group === undefined ? null : this.#remainingMs(group);
  }

  #remainingMs(group: Group): number | null {
    if (group.plan?.decision !== 'load') return null;
    const { modelKey, loadBytes, unloads } = group.plan;
    const loadMs = this.#parts.loads.expectedMs(modelKey, loadBytes);
    const { acquire } = group;
    if (acquire !== null) return Math.max(0, loadMs - (this.#now() - acquire.startedMs));
    const exclusive = this.#exclusive?.group ?? null;
    if (exclusive === group) return loadMs;
    const before = this.#loading === null ? 0 : (this.#remainingMs(this.#loading) ?? 0);
    const conflicts = this.#parts.lanes.inUse(unloads);
    if (conflicts.length === 0) return before + loadMs;
    const passOverMs = this.#passOverMs(group);
    if (exclusive !== null) return (this.#remainingMs(exclusive) ?? 0) + passOverMs + loadMs;
    return this.#parts.lanes.turnLeftMs(conflicts, sinceOf(group), passOverMs) + loadMs;
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
    const keys = new Set([...ordered.map(({ groupKey }) => groupKey), ...this.#groups.keys()]);
    let againAtMs = Infinity;
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

  #step(group: Group, catalog: ServingCatalog): number {
    const { lanes } = this.#parts;
    const nowMs = this.#now();
    if (group.promised !== null && nowMs >= group.promised.untilMs) group.promised = null;
    if (this.#dropUnwanted(group) || group.phase !== 'idle') return Infinity;
    if (nowMs < group.notBeforeMs) return group.notBeforeMs;
    const failed = this.#failed.namedWith(group);
    if (this.#exclusive?.group === group) {
      if (!lanes.hasLease(this.#exclusive.unloads)) this.#acquire(group, failed);
      return Infinity;
    }
    const serving = residentsThatServe(group.wanted, catalog)
      .map(({ instanceIdentifier }) => instanceIdentifier)
      .filter((identifier) => !failed.includes(identifier));
    if (serving.some((identifier) => !lanes.isHeld(identifier))) {
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
    return this.#acquireInTurn(group, group.plan, failed);
  }

  #acquireInTurn(group: Group, plan: ServingPlan, failed: readonly string[]): number {
    const { lanes } = this.#parts;
    // The machine loads one model at a time. What a load unloads is known after the load before it.
    if (plan.decision === 'load' && this.#loading !== null) return Infinity;
    const unloads = this.#unloadsOf(plan);
    const conflicts = lanes.inUse(unloads);
    if (conflicts.length > 0) {
      if (this.#exclusive !== null) return Infinity;
      const leftMs = lanes.turnLeftMs(conflicts, sinceOf(group), this.#passOverMs(group));
      if (leftMs > 0) return this.#now() + leftMs;
      this.#exclusive = { group, unloads };
      lanes.yield(unloads);
      if (lanes.hasLease(unloads)) return Infinity;
    }
    this.#acquire(group, failed);
    return Infinity;
  }

  /** The residents that a load unloads. Where a plan only waits for busy residents, each of ours may be the one. */
  #unloadsOf({ decision, unloads, selection }: ServingPlan): readonly string[] {
    if (decision !== 'none' || unloads.length > 0) return unloads;
    const waits = selection.rejected.some(({ rejection }) => rejection.code === 'WAITS_FOR_BUSY');
    if (!waits) return [];
    return [...this.#parts.lanes.all].map(({ lease }) => lease.instanceIdentifier);
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
    const { port, lanes } = this.#parts;
    const stop = new AbortController();
    group.phase = 'acquiring';
    if (group.plan?.decision === 'load') this.#loading = group;
    group.acquire = { stop, startedMs: this.#now() };
    const isExclusive = this.#exclusive?.group === group;
    if (isExclusive) lanes.forgetUse(this.#exclusive?.unloads ?? []);
    const request = { ...group.wanted, ...oldestPrompt(group), failed };
    // The machine must know of the released leases before it decides what it may unload.
    void (isExclusive ? lanes.released() : Promise.resolve())
      .then(() => port.acquire(request, { signal: stop.signal }))
      .then(
        (lease) => {
          this.#endAcquire(group);
          this.#settleGranted(group, lease, failed);
          this.#parts.changed();
        },
        (error: unknown) => {
          this.#endAcquire(group);
          this.#settleFailed(group, error);
        },
      );
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
    if (this.#loading === group) this.#loading = null;
    this.outdate();
    if (this.#exclusive?.group === group) this.#endExclusive();
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
    if (this.#exclusive?.group === group && group.phase !== 'acquiring') this.#endExclusive();
    return true;
  }

  #endExclusive(): void {
    this.#exclusive = null;
    this.#parts.lanes.endYield();
  }

  #passOverMs({ plan }: Group): number {
    const { limits, loads } = this.#parts;
    return limits.passOverMs ?? loads.passOverMs(plan?.modelKey ?? null, plan?.loadBytes ?? null);
  }

  #now(): number {
    return this.#parts.clock.monotonicMs();
  }
}
