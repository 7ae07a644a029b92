import { randomBytes } from 'node:crypto';
import type { SimulatorClock } from '../clock/clock.js';
import type { ActiveFaults } from '../faults/active-faults.js';
import type { World } from '../world/world.js';
import { identifierNotFound, pathNotFound, specificModelUnloaded } from '../wire/wire-error.js';
import type { Device, ModelOnDevice } from './device.js';
import { findOnDevice, modelOnDevice } from './device.js';
import type { MemoryUse } from './memory.js';
import { addUses } from './memory.js';
import type { InstanceStatus, ResidentState } from './resident.js';
import { activityOf, isBusy } from './resident.js';

/** A load in progress. */
export interface LoadInProgress {
  readonly file: ModelOnDevice;
  readonly identifier: string;
  readonly justInTime: boolean;
  use: MemoryUse;
  cancel(): void;
  /** Ends the load without an event, because LM Studio's process has ended. */
  abandon(): void;
  /** Resolves with the instance, or with `null` where the load failed or was cancelled. */
  readonly done: Promise<ResidentState | null>;
}

/**
 * LM Studio's state without its interfaces: downloaded models, loads, residents and their memory.
 */
export class Runtime {
  readonly world: World;
  readonly clock: SimulatorClock;
  readonly faults: ActiveFaults;
  /** Factor for the speed of loading and generating. Times to live do not change. */
  readonly speed: number;
  readonly devices: readonly Device[];
  readonly loads = new Set<LoadInProgress>();
  readonly #residents = new Map<string, ResidentState>();

  constructor(world: World, clock: SimulatorClock, faults: ActiveFaults, speed: number) {
    this.world = world;
    this.clock = clock;
    this.faults = faults;
    this.speed = speed;
    this.devices = [
      { identifier: null, name: world.machine.name, machine: world.machine, models: world.models },
      ...world.devices
        .filter(({ status }) => status === 'connected')
        .map(({ deviceIdentifier, deviceName, machine, models }) => ({
          identifier: deviceIdentifier,
          name: deviceName,
          machine,
          models,
        })),
    ];
  }

  residents(): readonly ResidentState[] {
    return [...this.#residents.values()];
  }

  downloaded(): readonly ModelOnDevice[] {
    return this.devices.flatMap((device) =>
      device.models.flatMap((model) => modelOnDevice(device, model) ?? []),
    );
  }

  /**
   * Finds a model by key or path: on the named device, or else on the preferred device first,
   * then on all others.
   *
   * @throws WireError where no device has the model.
   */
  findModel(
    key: string,
    domain: 'llm' | 'embedding',
    deviceIdentifier: string | null | undefined,
  ): ModelOnDevice {
    const preferred = this.world.preferredDeviceIdentifier;
    const devices =
      deviceIdentifier === undefined
        ? this.devices.toSorted(
            (a, b) => Number(b.identifier === preferred) - Number(a.identifier === preferred),
          )
        : this.devices.filter(({ identifier }) => identifier === deviceIdentifier);
    for (const device of devices) {
      const found = findOnDevice(device, key);
      if (found) return found;
    }
    throw pathNotFound(
      key,
      devices.flatMap(({ models }) =>
        models.filter(({ type }) => type === domain).map(({ modelKey }) => modelKey),
      ),
    );
  }

  loadedIdentifiers(domain: 'llm' | 'embedding'): readonly string[] {
    return this.residents()
      .filter(({ file }) => file.model.type === domain)
      .map(({ identifier }) => identifier);
  }

  findResident(identifier: string): ResidentState | null {
    return this.#residents.get(identifier) ?? null;
  }

  findByReference(instanceReference: string): ResidentState {
    const found = this.residents().find(
      (resident) => resident.instanceReference === instanceReference,
    );
    if (!found) throw specificModelUnloaded();
    return found;
  }

  /** An identifier that is not in use: `key`, `key:2`, `key:3` and so on, as LM Studio names copies. */
  freeIdentifier(modelKey: string): string {
    const taken = new Set([
      ...this.#residents.keys(),
      ...[...this.loads].map(({ identifier }) => identifier),
    ]);
    let identifier = modelKey;
    for (let copy = 2; taken.has(identifier); copy++) identifier = `${modelKey}:${copy}`;
    return identifier;
  }

  isTaken(identifier: string): boolean {
    return (
      this.#residents.has(identifier) ||
      [...this.loads].some((load) => load.identifier === identifier)
    );
  }

  /** The memory that the models of a device take, including loads in progress. */
  memoryInUse(device: Device): MemoryUse {
    const uses = [
      ...this.residents().filter(({ file }) => file.device === device),
      ...[...this.loads].filter(({ file }) => file.device === device),
    ].map(({ use }) => use);
    return addUses(device.machine, uses);
  }

  addResident(
    resident: Pick<
      ResidentState,
      'file' | 'identifier' | 'ttlMs' | 'justInTime' | 'settings' | 'fields' | 'use'
    >,
  ): ResidentState {
    const state: ResidentState = {
      ...resident,
      // LM Studio's references are sixteen characters of base64, too.
      instanceReference: randomBytes(12).toString('base64'),
      loadedAtMs: this.clock.now(),
      lastUsedMs: null,
      status: 'idle',
      jobs: new Set(),
      queue: [],
      scripted: null,
      cancelScripted: () => {},
      cancelEviction: () => {},
    };
    this.#residents.set(state.identifier, state);
    this.#scheduleEviction(state);
    return state;
  }

  unload(identifier: string, domain: 'llm' | 'embedding' = 'llm'): void {
    const resident = this.#residents.get(identifier);
    if (!resident) throw identifierNotFound(identifier, this.loadedIdentifiers(domain));
    this.#residents.delete(identifier);
    resident.cancelEviction();
    resident.cancelScripted();
    const jobs = [...resident.jobs, ...resident.queue.splice(0)];
    resident.jobs.clear();
    for (const job of jobs) job.abandon();
  }

  /** Notes that an instance is used or has become idle, which restarts its time to live. */
  touch(resident: ResidentState): void {
    resident.lastUsedMs = this.clock.now();
    this.#scheduleEviction(resident);
  }

  setBusy(
    identifier: string,
    activity: { readonly status: InstanceStatus; readonly queued: number },
    forMs: number | null,
  ): void {
    const resident = this.#residents.get(identifier);
    if (!resident) throw identifierNotFound(identifier, this.loadedIdentifiers('llm'));
    resident.cancelScripted();
    resident.cancelScripted = () => {};
    const idle = activity.status === 'idle' && activity.queued === 0;
    resident.scripted = idle ? null : activity;
    this.touch(resident);
    if (idle || forMs === null) return;
    resident.cancelScripted = this.clock.schedule(() => {
      resident.scripted = null;
      this.touch(resident);
    }, forMs);
  }

  /** Ends the process: all residents and loads are lost without an event. */
  shutDown(): void {
    for (const load of [...this.loads]) load.abandon();
    for (const identifier of [...this.#residents.keys()]) this.unload(identifier);
  }

  activity(resident: ResidentState): { status: InstanceStatus; queued: number } {
    return activityOf(resident);
  }

  #scheduleEviction(resident: ResidentState): void {
    resident.cancelEviction();
    const { ttlMs } = resident;
    if (ttlMs === null) return;
    resident.cancelEviction = this.clock.schedule(() => {
      // A busy instance is not evicted. When its work ends, touch() starts this timer again.
      if (!isBusy(resident) && this.#residents.has(resident.identifier)) {
        this.unload(resident.identifier);
      }
    }, ttlMs);
  }
}
