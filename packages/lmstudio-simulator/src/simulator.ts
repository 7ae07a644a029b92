import type { SimulatorClock } from './clock/clock.js';
import type { FaultControl } from './faults/fault-control.js';
import type { Fault } from './faults/fault.js';
import type { ProfileName } from './profile/profile.js';
import type { SimulatedRequest } from './request-log.js';
import type { MemoryGrowth } from './memory/memory-growth.js';
import type { MemoryUse } from './memory/memory.js';
import type { InstanceStatus } from './runtime/resident.js';
import type { SimulatedResident } from './runtime/simulated-resident.js';
import type { World } from './world/world.js';
import type { WorldInput } from './world/world-input.js';

/** How to start a simulator. */
export interface SimulatorOptions {
  /** The machine and its models. Default: `desktop`, see `exampleWorld`. */
  readonly world?: WorldInput;
  /** The port to listen on. Default: 0, any free port. */
  readonly port?: number;
  /**
   * The address to listen on. Default: `127.0.0.1`. With `0.0.0.0`, `baseUrl` has this machine's address on its
   * network, so that a client treats the simulator as an LM Studio on another machine.
   */
  readonly host?: string;
  /** The source of time. Default: `realClock()`. */
  readonly clock?: SimulatorClock;
  /** Factor for the speed of loading and generating. Times to live do not change. Default: 1. */
  readonly speed?: number;
  /** The generation of LM Studio. Default: `current`, which is `lmstudio@0.4.21`. */
  readonly profile?: ProfileName;
  /** Faults that are in force from the start. Default: none. */
  readonly faults?: readonly Fault[];
  /**
   * Gives the process id of a new instance's engine, which the engine's log lines carry. Default: ids that are too
   * high for a process on Linux. A test can return the id of a process that it has started.
   */
  readonly enginePid?: (instanceIdentifier: string) => number;
  /** Called with every WebSocket frame. Default: not called. */
  readonly onFrame?: (frame: SimulatedFrame) => void;
}

/** A WebSocket frame that was received or sent. */
export interface SimulatedFrame {
  /** The namespace of the socket: `system`, `llm`, `embedding` and so on. */
  readonly namespace: string;
  /** Whether the simulator received or sent the frame. */
  readonly direction: 'received' | 'sent';
  /** The parsed JSON. */
  readonly frame: unknown;
}

/** A running LM Studio look-alike. */
export interface Simulator extends AsyncDisposable {
  /** `ws://host:port`, the SDK's `baseUrl`. */
  readonly baseUrl: string;
  /** `http://host:port`, for REST. */
  readonly httpUrl: string;
  /** The port. A restart keeps it. */
  readonly port: number;
  /** The world with all defaults. */
  readonly world: World;
  /** The clock of the options. */
  readonly clock: SimulatorClock;
  /** The last 10,000 requests of clients, the oldest first. */
  readonly requests: readonly SimulatedRequest[];
  /** Controls the faults. */
  readonly fault: FaultControl;
  /** The loaded instances. */
  residents(): readonly SimulatedResident[];
  /**
   * The memory that the models of a device take now, including loads in progress and without other
   * programs.
   *
   * @param deviceIdentifier - an LM Link device. Default: `null`, the simulated machine.
   * @throws RangeError where the world has no such device.
   */
  memoryInUse(deviceIdentifier?: string | null): MemoryUse;
  /** The number of open sockets. */
  connections(): number;
  /**
   * Makes an instance busy, or idle again with `{ status: 'idle' }`.
   *
   * @param activity - default: generating, with nothing queued, until the next call or for `forMs`.
   * @throws Error where no such instance is loaded.
   */
  setBusy(
    instanceIdentifier: string,
    activity: {
      readonly status?: InstanceStatus;
      readonly queued?: number;
      readonly forMs?: number;
    },
  ): void;
  /**
   * Lets an instance take more memory, as if clients had sent many prompts. The sums are limited as in LM Studio's
   * engine.
   *
   * @throws Error where no such instance is loaded.
   */
  growMemory(instanceIdentifier: string, growth: Partial<MemoryGrowth>): void;
  /**
   * Resolves when clients have called an endpoint or an HTTP path `count` times in total. `disconnect` counts the HTTP
   * clients that have gone before the end of their answer. Default: once.
   */
  seen(endpoint: string, count?: number, signal?: AbortSignal): Promise<void>;
  /** Restarts on the same port. Connections are cut, and all residents are lost. `downMs`: default 0. */
  restart(options?: { readonly downMs?: number }): Promise<void>;
  /** Cuts all connections. The simulator keeps running. */
  dropConnections(): void;
  /** Closes every socket and cancels every timer. Further calls do nothing. */
  stop(): Promise<void>;
}
