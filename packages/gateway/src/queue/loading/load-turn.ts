import type { Clock } from '../../ports/clock.js';
import type { ServingPlan } from '../../ports/serving-port.js';
import { sinceOf, type Group } from './group.js';
import type { Lanes } from '../lanes/lanes.js';
import type { SchedulerLimits } from '../limits.js';
import type { Loads } from './loads.js';

/** Parts that decide whose turn it is. */
export interface LoadTurnParts {
  readonly clock: Clock;
  readonly limits: SchedulerLimits;
  readonly lanes: Lanes;
  readonly loads: Loads;
}

/** Decides which group may load now, and how long the others wait. Times are in monotonic milliseconds. */
export class LoadTurn {
  readonly #parts: LoadTurnParts;
  /** The group for which residents in use are unloaded, and these residents. */
  #exclusive: { readonly group: Group; readonly unloads: readonly string[] } | null = null;
  /** The group whose open acquire loads a model. */
  #loading: Group | null = null;

  constructor(parts: LoadTurnParts) {
    this.#parts = parts;
  }

  /** Whether residents in use are unloaded for this group. */
  isExclusive(group: Group): boolean {
    return this.#exclusive?.group === group;
  }

  /** Whether the residents that are unloaded for a group still have leases. */
  get waitsForLeases(): boolean {
    return this.#exclusive !== null && this.#parts.lanes.hasLease(this.#exclusive.unloads);
  }

  /**
   * Takes the turn for a group, if it is free. Residents in use that the load unloads then take no new requests.
   *
   * @returns null where the group may ask the machine now; else when to try again. Infinity: after an event
   */
  take(group: Group, plan: ServingPlan): number | null {
    const { lanes } = this.#parts;
    // The machine loads one model at a time. What a load unloads is known after the load before it.
    if (plan.decision === 'load' && this.#loading !== null) return Infinity;
    const unloads = this.#unloadsOf(plan);
    const conflicts = lanes.use.inUse(unloads);
    if (conflicts.length === 0) return null;
    if (this.#exclusive !== null) return Infinity;
    const leftMs = lanes.use.turnLeftMs(conflicts, sinceOf(group), this.#passOverMs(group));
    if (leftMs > 0) return this.#now() + leftMs;
    this.#exclusive = { group, unloads };
    lanes.yield(unloads);
    return this.waitsForLeases ? Infinity : null;
  }

  /** The acquire of a group begins. Resolves when the machine may be asked. */
  async begin(group: Group): Promise<void> {
    const { lanes } = this.#parts;
    if (group.plan?.decision === 'load') this.#loading = group;
    if (this.#exclusive?.group !== group) return;
    lanes.use.forget(this.#exclusive.unloads);
    // The machine must know of the released leases before it decides what it may unload.
    await lanes.released();
  }

  /** Ends the turn of a group: its acquire has ended, or nobody waits for it. Without a turn, nothing changes. */
  end(group: Group): void {
    if (this.#loading === group) this.#loading = null;
    if (this.#exclusive?.group !== group) return;
    this.#exclusive = null;
    this.#parts.lanes.endYield();
  }

  /** Ends any turn, because the scheduler ends. */
  clear(): void {
    this.#exclusive = null;
  }

  /** Expected time until a group's model serves; null where it is not known. */
  remainingMs(group: Group): number | null {
    if (group.plan?.decision !== 'load') return null;
    const { lanes, loads } = this.#parts;
    const { modelKey, loadBytes, unloads } = group.plan;
    const loadMs = loads.expectedMs(modelKey, loadBytes);
    const { acquire } = group;
    if (acquire !== null) return Math.max(0, loadMs - (this.#now() - acquire.startedMs));
    const exclusive = this.#exclusive?.group ?? null;
    if (exclusive === group) return loadMs;
    const before = this.#loading === null ? 0 : (this.remainingMs(this.#loading) ?? 0);
    const conflicts = lanes.use.inUse(unloads);
    if (conflicts.length === 0) return before + loadMs;
    const passOverMs = this.#passOverMs(group);
    if (exclusive !== null) return (this.remainingMs(exclusive) ?? 0) + passOverMs + loadMs;
    return lanes.use.turnLeftMs(conflicts, sinceOf(group), passOverMs) + loadMs;
  }

  /** The residents that a load unloads. If the plan only waits for busy residents, any resident of the lanes may be one of them. */
  #unloadsOf({ decision, unloads, selection }: ServingPlan): readonly string[] {
    if (decision !== 'none' || unloads.length > 0) return unloads;
    const waits = selection.rejected.some(({ rejection }) => rejection.code === 'WAITS_FOR_BUSY');
    if (!waits) return [];
    return [...this.#parts.lanes.all].map(({ lease }) => lease.instanceIdentifier);
  }

  #passOverMs({ plan }: Group): number {
    const { limits, loads } = this.#parts;
    return limits.passOverMs ?? loads.passOverMs(plan?.modelKey ?? null, plan?.loadBytes ?? null);
  }

  #now(): number {
    return this.#parts.clock.monotonicMs();
  }
}
