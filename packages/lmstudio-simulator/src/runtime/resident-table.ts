import type { SimulatorClock } from '../clock/clock.js';
import { bounded, growAfterPrediction } from './growth.js';
import { type MemoryGrowth, NO_GROWTH } from '../memory/memory-growth.js';
import type { EndedPrediction } from './growth.js';
import { identifierNotFound, specificModelUnloaded } from '../wire/wire-error.js';
import type { ModelDomain } from './device.js';
import type { InstanceStatus, ResidentState } from './resident.js';
import { isBusy } from './resident.js';

/** The properties of a resident that do not change. */
export type NewResident = Pick<
  ResidentState,
  | 'file'
  | 'domain'
  | 'identifier'
  | 'instanceReference'
  | 'enginePid'
  | 'reportsVariant'
  | 'ttlMs'
  | 'justInTime'
  | 'settings'
  | 'fields'
  | 'use'
>;

/** The loaded instances, with their times to live. */
export class ResidentTable {
  readonly #clock: SimulatorClock;
  readonly #byIdentifier = new Map<string, ResidentState>();

  constructor(clock: SimulatorClock) {
    this.#clock = clock;
  }

  get all(): readonly ResidentState[] {
    return [...this.#byIdentifier.values()];
  }

  identifiers(domain: ModelDomain): readonly string[] {
    return this.all
      .filter((resident) => resident.domain === domain)
      .map(({ identifier }) => identifier);
  }

  find(identifier: string): ResidentState | null {
    return this.#byIdentifier.get(identifier) ?? null;
  }

  /** @throws WireError where no such instance is loaded. */
  get(identifier: string, domain: ModelDomain = 'llm'): ResidentState {
    const resident = this.find(identifier);
    if (!resident) throw identifierNotFound(identifier, this.identifiers(domain));
    return resident;
  }

  /** @throws WireError where the instance has been unloaded. */
  getByReference(instanceReference: string): ResidentState {
    const found = this.all.find((resident) => resident.instanceReference === instanceReference);
    if (!found) throw specificModelUnloaded();
    return found;
  }

  add(resident: NewResident): ResidentState {
    const state: ResidentState = {
      ...resident,
      growth: NO_GROWTH,
      savedPrompts: [],
      loadedAtMs: this.#clock.now(),
      lastUsedMs: null,
      status: 'idle',
      jobs: new Set(),
      queue: [],
      scripted: null,
      crashExitCode: null,
      cancelScripted: () => {},
      cancelEviction: () => {},
    };
    this.#byIdentifier.set(state.identifier, state);
    this.#scheduleEviction(state);
    return state;
  }

  /** @throws WireError where no such instance is loaded. */
  unload(identifier: string, domain: ModelDomain = 'llm'): void {
    const resident = this.get(identifier, domain);
    this.#byIdentifier.delete(identifier);
    resident.cancelEviction();
    resident.cancelScripted();
    const jobs = [...resident.jobs, ...resident.queue.splice(0)];
    resident.jobs.clear();
    for (const job of jobs) job.abandon();
  }

  /** Ends the engine of an instance. The instance is gone, and all its work fails. */
  crash(resident: ResidentState, exitCode: string): void {
    resident.crashExitCode = exitCode;
    this.unload(resident.identifier, resident.domain);
  }

  /** Restarts the time to live of an instance that is used or has become idle. */
  touch(resident: ResidentState): void {
    resident.lastUsedMs = this.#clock.now();
    this.#scheduleEviction(resident);
  }

  /** Adds the growth of a prediction, because a prediction fills the engine's caches. */
  grow(resident: ResidentState, prediction: EndedPrediction): void {
    growAfterPrediction(resident, prediction);
  }

  /** Adds to the growth of an instance, up to the limits of its engine. */
  addGrowth(identifier: string, added: Partial<MemoryGrowth>): void {
    const resident = this.get(identifier);
    const { growth } = resident;
    resident.growth = bounded(resident, {
      promptCacheBytes: growth.promptCacheBytes + (added.promptCacheBytes ?? 0),
      checkpointBytes: growth.checkpointBytes + (added.checkpointBytes ?? 0),
      kvCacheBytes: growth.kvCacheBytes + (added.kvCacheBytes ?? 0),
    });
  }

  setBusy(
    identifier: string,
    activity: { readonly status: InstanceStatus; readonly queued: number },
    forMs: number | null,
  ): void {
    const resident = this.get(identifier);
    resident.cancelScripted();
    resident.cancelScripted = () => {};
    const idle = activity.status === 'idle' && activity.queued === 0;
    resident.scripted = idle ? null : activity;
    this.touch(resident);
    if (idle || forMs === null) return;
    resident.cancelScripted = this.#clock.schedule(() => {
      resident.scripted = null;
      this.touch(resident);
    }, forMs);
  }

  #scheduleEviction(resident: ResidentState): void {
    resident.cancelEviction();
    const { ttlMs } = resident;
    if (ttlMs === null) return;
    resident.cancelEviction = this.#clock.schedule(() => {
      // A busy instance is not evicted. When its work ends, touch() starts this timer again.
      if (!isBusy(resident) && this.#byIdentifier.has(resident.identifier)) {
        this.unload(resident.identifier);
      }
    }, ttlMs);
  }
}
