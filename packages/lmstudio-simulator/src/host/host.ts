import { randomBytes } from 'node:crypto';
import type { SimulatorClock } from '../clock.js';
import type { FaultBook } from '../faults.js';
import type { World } from '../world/world.js';
import { identifierNotFound, pathNotFound, specificModelUnloaded } from '../wire/wire-error.js';
import type { Device, ModelOnDevice } from './device.js';
import { findOnDevice, modelOnDevice } from './device.js';
import type { MemoryUse } from './memory.js';
import { addUses } from './memory.js';
import type { InstanceStatus, ResidentState } from './resident.js';
import { activityOf, isBusy } from './resident.js';

/** A load that is under way. */
export interface LoadInProgress {
  readonly file: ModelOnDevice;
  readonly identifier: string;
  readonly justInTime: boolean;
  use: MemoryUse;
  cancel(): void;
  /** Ends it without a word: the process has gone. */
  abandon(): void;
  /** Resolves with the instance, or with null when the load came to nothing. */
  readonly done: Promise<ResidentState | null>;
}

/** Everything that happens behind the wire: what is on disk, what is loaded, what it takes. */
export class Host {
  readonly world: World;
  readonly clock: SimulatorClock;
  readonly faults: FaultBook;
  /** Multiplies the speed of loading and generating, not that of time. */
  readonly speed: number;
  readonly devices: readonly Device[];
  readonly loads = new Set<LoadInProgress>();
  readonly #residents = new Map<string, ResidentState>();

  constructor(world: World, clock: SimulatorClock, faults: FaultBook, speed: number) {
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
   * Finds a model by key or path: on the device that is named, or else on the preferred one, here, or
   * anywhere.
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

  /** `key`, or else `key:2`, `key:3` and so on, as LM Studio names further copies. */
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

  /** What the models of a device take, loads under way included. */
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
      // Sixteen characters of base64, the form of LM Studio's own references.
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

  /** Marks an instance as used now, or as idle again, which starts its time to live anew. */
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

  /** The process ends: everything in memory is lost, silently. */
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
      // A busy instance is never evicted; the end of its work calls touch(), which sets this timer anew.
      if (!isBusy(resident) && this.#residents.has(resident.identifier)) {
        this.unload(resident.identifier);
      }
    }, ttlMs);
  }
}
