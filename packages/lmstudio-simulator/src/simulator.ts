import type { IncomingMessage } from 'node:http';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { SimulatorClock } from './clock.js';
import { realClock } from './clock.js';
import type { FaultControl } from './fault-control.js';
import { createFaultControl } from './fault-control.js';
import type { Fault } from './faults.js';
import { FaultBook } from './faults.js';
import { Host } from './host/host.js';
import type { MemoryUse } from './host/memory.js';
import type { InstanceStatus, SimulatedResident } from './host/resident.js';
import { describeResident } from './host/resident.js';
import { answerRequest } from './http/routes.js';
import { createListener } from './listener.js';
import type { ProfileName } from './profile.js';
import { PROFILES } from './profile.js';
import type { SimulatedRequest } from './request-log.js';
import { RequestLog } from './request-log.js';
import { SimulatorError } from './simulator-error.js';
import { scopeTimers } from './timers.js';
import { createAuthenticator } from './wire/authenticator.js';
import type { Backend } from './wire/backend.js';
import { createNamespaces } from './wire/namespaces.js';
import { serveSocket } from './wire/session.js';
import { parseWorld } from './world/parse-world.js';
import type { World, WorldInput } from './world/world.js';

/** How to start a simulator. */
export interface SimulatorOptions {
  /** The machine and its models. Default: a mid-size desktop with eight models. */
  readonly world?: WorldInput;
  /** Default: 0, any free port. */
  readonly port?: number;
  /**
   * The address to listen on. Default: `127.0.0.1`. `0.0.0.0` plays a host on another machine:
   * `baseUrl` is then this machine's address on its network.
   */
  readonly host?: string;
  /** Default: real time. */
  readonly clock?: SimulatorClock;
  /** How much faster than the world says models load and generate; times to live are not touched. Default: 1. */
  readonly speed?: number;
  /** Default: `current`. */
  readonly profile?: ProfileName;
  /** Faults in force from the start. */
  readonly faults?: readonly Fault[];
  /** Sees every WebSocket frame. */
  readonly onFrame?: (frame: SimulatedFrame) => void;
}

/** A WebSocket frame that was received or sent. */
export interface SimulatedFrame {
  /** `system`, `llm`, `embedding` and so on. */
  readonly namespace: string;
  /** As the server sees it. */
  readonly direction: 'received' | 'sent';
  /** The parsed JSON. */
  readonly frame: unknown;
}

/** A running LM Studio look-alike. */
export interface Simulator extends AsyncDisposable {
  /** `ws://host:port`, what the SDK calls `baseUrl`. */
  readonly baseUrl: string;
  /** `http://host:port`. */
  readonly httpUrl: string;
  /** The port that it listens on; a restart keeps it. */
  readonly port: number;
  /** What it plays, complete. */
  readonly world: World;
  /** The clock that it was given. */
  readonly clock: SimulatorClock;
  /** What clients have sent, oldest first; the last 10,000. */
  readonly requests: readonly SimulatedRequest[];
  /** Scripts what goes wrong. */
  readonly fault: FaultControl;
  /** What is loaded. */
  residents(): readonly SimulatedResident[];
  /**
   * What the models of a device take now, loads under way included; what others hold is not in it.
   *
   * @param deviceIdentifier - an LM Link device. Default: null, the simulated machine itself.
   */
  memoryInUse(deviceIdentifier?: string | null): MemoryUse;
  /** How many sockets are open. */
  connections(): number;
  /**
   * Makes an instance busy, or idle again with `{ status: 'idle' }`.
   *
   * @param activity - `forMs` ends it by itself; without, it lasts until the next call.
   * @throws Error if no such instance is loaded.
   */
  setBusy(
    instanceIdentifier: string,
    activity: {
      readonly status?: InstanceStatus;
      readonly queued?: number;
      readonly forMs?: number;
    },
  ): void;
  /** Resolves once clients have called an endpoint (or an HTTP path) `count` times in all. */
  seen(endpoint: string, count?: number, signal?: AbortSignal): Promise<void>;
  /** Stops and starts on the same port. What was loaded is lost, and connections are cut. */
  restart(options?: { readonly downMs?: number }): Promise<void>;
  /** Cuts all connections, without restarting. */
  dropConnections(): void;
  /** Ends it: every socket and timer. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts an LM Studio look-alike that speaks its wire protocol, so that the real `@lmstudio/sdk` can
 * be pointed at it.
 *
 * @throws SimulatorError `WORLD_INVALID`, `FAULT_INVALID`, or `PORT_UNAVAILABLE`.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const world = parseWorld(options.world);
  const faults = new FaultBook();
  for (const fault of options.faults ?? []) faults.inject(fault);
  const profile = PROFILES[options.profile ?? 'current'];
  const address = options.host ?? '127.0.0.1';
  const clock = options.clock ?? realClock();
  const timers = scopeTimers(clock);
  const log = new RequestLog(() => clock.now());
  const authenticator = createAuthenticator(world.tokens, world.requireToken);
  const host = new Host(world, timers, faults, options.speed ?? 1);
  const backend: Backend = { host, profile, restart: (downMs) => void restart(downMs) };
  const namespaces = createNamespaces(backend);
  const webSockets = new WebSocketServer({ noServer: true });
  const listener = createListener({
    address,
    port: options.port ?? 0,
    onRequest: (request, response) =>
      void answerRequest(request, response, { backend, authenticator, faults, log }),
    onUpgrade: upgrade,
  });
  let stopped = false;
  let restarting: Promise<void> | null = null;
  let wake = (): void => {};

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const namespaceName = (request.url ?? '/').slice(1);
    const namespace = namespaces.get(namespaceName);
    if (faults.strike('refuse-upgrade') ?? faults.strike('not-lm-studio')) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    // The stock server leaves the upgrade of an unknown path unanswered; the client waits for ever.
    if (namespace === undefined || faults.strike('ignore-upgrade')) {
      // Only what is read from is noticed to have ended.
      socket.resume();
      socket.once('end', () => socket.end());
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      serveSocket(webSocket, {
        namespaceName,
        namespace,
        authenticator,
        clock: timers,
        faults,
        log,
        onFrame: (direction, frame) =>
          options.onFrame?.({ namespace: namespaceName, direction, frame }),
      });
    });
  }

  function dropConnections(): void {
    // Makes the sockets unusable at once; destroying the connection alone would be noticed a turn later.
    for (const webSocket of webSockets.clients) webSocket.terminate();
    listener.dropConnections();
  }

  // Connections first: a process that dies does not say goodbye to its clients.
  async function goDown(): Promise<void> {
    dropConnections();
    const closed = listener.close();
    host.shutDown();
    timers.cancelAll();
    await closed;
  }

  function restart(downMs: number): Promise<void> {
    restarting ??= (async () => {
      await goDown();
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (stopped || downMs <= 0) resolve();
        else timers.schedule(resolve, downMs);
      });
      if (!stopped) await listener.open();
    })().finally(() => {
      restarting = null;
    });
    return restarting;
  }

  async function stop(): Promise<void> {
    stopped = true;
    wake();
    await restarting;
    await goDown();
    webSockets.close();
  }

  await listener.open();
  return {
    get baseUrl() {
      return `ws://${urlHost(address)}:${listener.port}`;
    },
    get httpUrl() {
      return `http://${urlHost(address)}:${listener.port}`;
    },
    get port() {
      return listener.port;
    },
    world,
    clock,
    requests: log.entries,
    fault: createFaultControl(faults),
    residents: () => host.residents().map(describeResident),
    memoryInUse(deviceIdentifier = null) {
      const device = host.devices.find(({ identifier }) => identifier === deviceIdentifier);
      if (!device) throw new RangeError(`There is no device "${deviceIdentifier}" in this world`);
      return host.memoryInUse(device);
    },
    connections: () => listener.connections,
    setBusy(instanceIdentifier, { status = 'generating', queued = 0, forMs }) {
      host.setBusy(instanceIdentifier, { status, queued }, forMs ?? null);
    },
    seen: (endpoint, count = 1, signal) => log.seen(endpoint, count, signal),
    restart(restartOptions = {}) {
      if (!stopped) return restart(restartOptions.downMs ?? 0);
      return Promise.reject(new SimulatorError('STOPPED', 'The simulator has been stopped.'));
    },
    dropConnections,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function urlHost(address: string): string {
  if (address === '0.0.0.0') {
    const interfaces = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
    const outer = interfaces.find(({ family, internal }) => family === 'IPv4' && !internal);
    return outer?.address ?? '127.0.0.1';
  }
  return address.includes(':') ? `[${address}]` : address;
}
