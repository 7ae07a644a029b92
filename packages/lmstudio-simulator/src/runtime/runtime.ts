import { randomBytes } from 'node:crypto';
import type { SimulatorClock } from '../clock/clock.js';
import type { ActiveFaults } from '../faults/active-faults.js';
import type { LoadDefaults } from '../profile/load-defaults.js';
import type { Profile } from '../profile/profile.js';
import type { World } from '../world/world.js';
import { pathNotFound } from '../wire/wire-error.js';
import type { Device, ModelDomain, ModelOnDevice } from './device.js';
import { findOnDevice, modelOnDevice } from './device.js';
import { Engines } from './engines.js';
import { DiagnosticsLog } from './diagnostics-log.js';
import { residentUse } from './growth.js';
import type { MemoryUse } from '../memory/memory.js';
import { addUses } from '../memory/memory.js';
import type { ResidentState } from './resident.js';
import { ResidentTable } from './resident-table.js';

/** A load in progress. */
export interface LoadInProgress {
  readonly file: ModelOnDevice;
  readonly identifier: string;
  use: MemoryUse;
  /** A client cancels the load. `loadAfterCancel` decides whether this ends the load. */
  cancel(): void;
  /** The client has gone. `loadAfterDisconnect` decides whether this ends the load. */
  clientGone(): void;
  /** Ends the load at once, like a cancel that LM Studio confirms at once. */
  abort(): void;
  /** Ends the load without an event, because LM Studio's process has ended. */
  abandon(): void;
  /** Resolves with the instance, or with `null` where the load failed or was cancelled. */
  readonly done: Promise<ResidentState | null>;
}

/** The options of a {@link Runtime}. */
export interface RuntimeOptions {
  readonly world: World;
  readonly profile: Profile;
  readonly clock: SimulatorClock;
  readonly faults: ActiveFaults;
  /** Factor for the speed of loading and generating. Times to live do not change. */
  readonly speed: number;
  /** The process id of a new instance's engine. */
  readonly enginePid: ((instanceIdentifier: string) => number) | null;
  /** Restarts LM Studio, which is down for `downMs`. */
  readonly restart: (downMs: number) => void;
}

// Linux has no process with a higher id, so a client that looks for this process finds none.
const HIGHEST_LINUX_PID = 2 ** 22;

/**
 * LM Studio's state without its interfaces: downloaded models, loads, residents and their memory.
 */
export class Runtime {
  readonly world: World;
  readonly profile: Profile;
  /** LM Studio's version. */
  readonly version: string;
  /** LM Studio's build. */
  readonly build: number;
  readonly clock: SimulatorClock;
  readonly faults: ActiveFaults;
  readonly speed: number;
  /** The defaults of a load's settings. */
  readonly loadDefaults: LoadDefaults;
  readonly devices: readonly Device[];
  readonly engines: Engines;
  readonly log = new DiagnosticsLog();
  readonly loads = new Set<LoadInProgress>();
  readonly residents: ResidentTable;
  /** The device of loads that name no device; `null`: the simulated machine. */
  preferredDeviceIdentifier: string | null;
  /** Whether REST and the OpenAI-compatible API answer. */
  httpServer: boolean;
  /** Restarts LM Studio, which is down for `downMs`. */
  readonly restart: RuntimeOptions['restart'];
  readonly #enginePid: RuntimeOptions['enginePid'];
  #loadedEngines = 0;

  constructor({ world, profile, clock, faults, speed, enginePid, restart }: RuntimeOptions) {
    this.world = world;
    this.profile = profile;
    this.version = world.version ?? profile.version;
    this.build = world.build ?? profile.build;
    this.clock = clock;
    this.residents = new ResidentTable(clock);
    this.faults = faults;
    this.speed = speed;
    this.preferredDeviceIdentifier = world.preferredDeviceIdentifier;
    this.httpServer = world.httpServer;
    this.engines = new Engines(world.machine, profile.runtimeVersion);
    this.#enginePid = enginePid;
    this.restart = restart;
    this.loadDefaults = {
      ...profile.load,
      ...world.loadDefaults,
      ...(world.defaultContextLength === null
        ? {}
        : { contextLengthTokens: world.defaultContextLength }),
    };
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

  downloaded(): readonly ModelOnDevice[] {
    return this.devices.flatMap((device) =>
      device.models.flatMap((model) => modelOnDevice(device, model) ?? []),
    );
  }

  /** The preferred device first, then this machine, then the others in order. */
  devicesByPreference(): readonly Device[] {
    const preferred = this.preferredDeviceIdentifier;
    return this.devices.toSorted(
      (a, b) => Number(b.identifier === preferred) - Number(a.identifier === preferred),
    );
  }

  /**
   * Finds a model by key or path: on the named device, or else on all devices by preference.
   *
   * @throws WireError where no device has the model.
   */
  findModel(
    key: string,
    domain: ModelDomain,
    deviceIdentifier: string | null | undefined,
  ): ModelOnDevice {
    const devices =
      deviceIdentifier === undefined
        ? this.devicesByPreference()
        : this.devices.filter(({ identifier }) => identifier === deviceIdentifier);
    for (const device of devices) {
      const found = findOnDevice(device, key);
      const refused = found?.pinnedVariant === true && found.modelKey === key;
      if (found && (this.world.variantKeysLoad || !refused)) return found;
    }
    throw pathNotFound(
      key,
      devices.flatMap(({ models }) =>
        models.filter(({ type }) => type === domain).map(({ modelKey }) => modelKey),
      ),
    );
  }

  /** An identifier that is not in use: `key`, `key:2`, `key:3` and so on, as LM Studio names copies. */
  freeIdentifier(modelKey: string): string {
    let identifier = modelKey;
    for (let copy = 2; this.isTaken(identifier); copy++) identifier = `${modelKey}:${copy}`;
    return identifier;
  }

  isTaken(identifier: string): boolean {
    return (
      this.residents.find(identifier) !== null ||
      [...this.loads].some((load) => load.identifier === identifier)
    );
  }

  /** The memory that the models of a device take, including loads in progress. */
  memoryInUse(device: Device): MemoryUse {
    const uses = [
      ...this.residents.all.filter(({ file }) => file.device === device).map(residentUse),
      ...[...this.loads].filter(({ file }) => file.device === device).map(({ use }) => use),
    ];
    return addUses(device.machine, uses);
  }

  /** LM Studio's reference for a new instance, and the process id of its engine. */
  newEngine(identifier: string): { instanceReference: string; enginePid: number | null } {
    this.#loadedEngines++;
    return {
      // LM Studio's references are sixteen characters of base64, too.
      instanceReference: randomBytes(12).toString('base64'),
      enginePid: this.profile.engineProcess
        ? (this.#enginePid?.(identifier) ?? HIGHEST_LINUX_PID + this.#loadedEngines)
        : null,
    };
  }

  /** Sends a line of an instance's engine to the clients that stream LM Studio's logs. */
  logEngine(
    { file, identifier, instanceReference, enginePid }: ResidentState,
    message: string,
  ): void {
    const engine = this.engines.forModel(file.model);
    // LM Studio on another device streams the log of its engines itself.
    if (engine === null || file.device.identifier !== null) return;
    this.log.emit({
      type: 'runtime.log',
      level: 'info',
      message,
      engineName: engine.name,
      engineVersion: engine.version,
      engineType: engine.engine,
      modelIdentifier: identifier,
      instanceReference,
      ...(enginePid === null ? {} : { pid: enginePid }),
    });
  }

  /** Ends the process: all residents and loads are lost without an event. */
  shutDown(): void {
    for (const load of [...this.loads]) load.abandon();
    for (const { identifier } of this.residents.all) this.residents.unload(identifier);
  }
}
