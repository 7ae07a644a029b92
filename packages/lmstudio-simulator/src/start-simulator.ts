import type { IncomingMessage, ServerResponse } from 'node:http';
import { networkInterfaces } from 'node:os';
import { WebSocketServer } from 'ws';
import { realClock } from './clock/clock.js';
import { createFaultControl } from './faults/fault-control.js';
import { ActiveFaults } from './faults/active-faults.js';
import { Runtime } from './runtime/runtime.js';
import { describeResident } from './runtime/simulated-resident.js';
import { openExchange } from './http/exchange.js';
import { StoredResponses } from './runtime/stored-responses.js';
import { answerRequest } from './http/routes.js';
import { createListener } from './listener.js';
import { PROFILES } from './profile/profile.js';
import { RequestLog } from './request-log.js';
import { SimulatorError } from './simulator-error.js';
import { scopeTimers } from './clock/timer-scope.js';
import { createAuthenticator } from './wire/authenticator.js';
import type { Backend } from './runtime/backend.js';
import { createNamespaces } from './endpoints/namespaces.js';
import { upgrade } from './wire/upgrade.js';
import { parseWorld } from './world/parse-world.js';
import type { Simulator, SimulatorOptions } from './simulator.js';

/**
 * Starts an LM Studio look-alike. It speaks LM Studio's wire protocol, so that the real `@lmstudio/sdk` can
 * connect to it.
 *
 * @throws SimulatorError `WORLD_INVALID`, `FAULT_INVALID`, or `PORT_UNAVAILABLE`.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const world = parseWorld(options.world);
  const faults = new ActiveFaults();
  for (const fault of options.faults ?? []) faults.inject(fault);
  const profile = PROFILES[options.profile ?? 'current'];
  const address = options.host ?? '127.0.0.1';
  const clock = options.clock ?? realClock();
  const timers = scopeTimers(clock);
  const log = new RequestLog(() => clock.now());
  const authenticator = createAuthenticator(world);
  const runtime = new Runtime({
    world,
    profile,
    clock: timers,
    faults,
    speed: options.speed ?? 1,
    enginePid: options.enginePid ?? null,
    restart: (downMs) => void restart(downMs),
  });
  const backend: Backend = {
    runtime,
    storedResponses: new StoredResponses(),
    port: () => listener.port,
  };
  const namespaces = createNamespaces(backend);
  const webSockets = new WebSocketServer({ noServer: true });
  const listener = createListener({
    address,
    port: options.port ?? 0,
    onRequest: (request, response) => void answer(request, response),
    onUpgrade: (request, socket, head) =>
      upgrade(request, socket, head, {
        webSockets,
        namespaces,
        authenticator,
        clock: timers,
        faults,
        log,
        onFrame: (frame) => options.onFrame?.(frame),
      }),
  });
  let stopped = false;
  let restarting: Promise<void> | null = null;
  let wake = (): void => {};

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = await openExchange({
      request,
      response,
      log,
      isCutHere: () => listener.hasCut(request.socket),
      now: () => clock.now(),
    });
    await answerRequest(exchange, { backend, authenticator });
  }

  function dropConnections(): void {
    // Destroying the connections alone would leave the WebSockets usable until the next turn.
    for (const webSocket of webSockets.clients) webSocket.terminate();
    listener.dropConnections();
  }

  // Connections are cut first, because a crashed process sends no last frames to its clients.
  async function goDown(): Promise<void> {
    dropConnections();
    const closed = listener.close();
    runtime.shutDown();
    backend.storedResponses.clear();
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
    residents: () => runtime.residents.all.map(describeResident),
    memoryInUse(deviceIdentifier = null) {
      const device = runtime.devices.find(({ identifier }) => identifier === deviceIdentifier);
      if (!device)
        throw new RangeError(
          `This world has no device "${deviceIdentifier}". Its devices are: ${runtime.devices.map(({ identifier }) => String(identifier)).join(', ')}.`,
        );
      return runtime.memoryInUse(device);
    },
    connections: () => listener.connections,
    setBusy(instanceIdentifier, { status = 'generating', queued = 0, forMs }) {
      runtime.residents.setBusy(instanceIdentifier, { status, queued }, forMs ?? null);
    },
    growMemory: (instanceIdentifier, growth) =>
      runtime.residents.addGrowth(instanceIdentifier, growth),
    seen: (endpoint, count = 1, signal) => log.seen(endpoint, count, signal),
    restart(restartOptions = {}) {
      if (!stopped) return restart(restartOptions.downMs ?? 0);
      return Promise.reject(
        new SimulatorError('STOPPED', 'The simulator has been stopped. Start a new one.'),
      );
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
