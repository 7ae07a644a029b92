import type { IncomingMessage, ServerResponse } from 'node:http';
import { createAccess } from './access/create-access.js';
import { NO_KEYS } from './access/keys/key-store.js';
import { createPeerAccess, hostOfSocket } from './access/peer-access.js';
import { createControl } from './control/create-control.js';
import type { GatewayOptions } from './gateway-options.js';
import { createMetrics } from './metrics/create-metrics.js';
import { createPage } from './page/create-page.js';
import { systemClock } from './ports/clock.js';
import type { ControlPort, ControlWords } from './ports/control-port.js';
import type { FleetPort } from './ports/fleet-port.js';
import { createLivePort } from './ports/live-port.js';
import type { ServingPort } from './ports/serving-port.js';
import { createScheduler } from './queue/create-scheduler.js';
import { stopping } from './queue/failures/scheduling-failures.js';
import type { SchedulerState } from './queue/scheduler.js';
import { answerRequest, type AnswerParts } from './answer-request.js';
import { DEFAULT_INFERENCE_LIMITS } from './server/inference/inference-parts.js';
import { createInTurn } from './server/in-turn.js';
import { createInferenceService } from './server/inference-service.js';
import { listen, type ListenOptions, type Listening } from './server/listen.js';
import { checkHttpClient } from './upstream/check-http-client.js';
import { createHttpClient } from './upstream/http-client.js';

/** The ports of a machine that a gateway uses. A host of `@mai/host` has both. */
export interface GatewayPorts {
  readonly serving: ServingPort;
  /** State and control of the machine under `/api/mai/`, and the words for its decisions. Default: none. */
  readonly control?:
    | {
        readonly machine: ControlPort;
        readonly words: ControlWords;
        /** The machine's fleet. Null and default: none. */
        readonly fleet?: FleetPort | null | undefined;
      }
    | undefined;
}

/** One HTTP address for every client. */
export interface Gateway extends AsyncDisposable {
  /** Answers one request. Mounts the gateway in a server of yours. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** The residents in use and the waiting requests. */
  state(): SchedulerState;
  /**
   * Listens on the gateway's address.
   *
   * @throws GatewayError `ADDRESS_IN_USE`, `ADDRESS_UNAVAILABLE`, `ADDRESS_SPACE`, `FILE_UNUSABLE` for a wrong certificate or key
   */
  listen(options?: Omit<ListenOptions, 'host' | 'isAdmitted'>): Promise<Listening>;
  /**
   * Takes no new requests, and resolves when the running ones have ended. A gateway for other hosts takes connections until then, and
   * refuses the requests on them.
   *
   * @param deadlineMs - when requests that still run are ended with an error of their protocol. A client has two seconds to read the
   * error; then its connection is closed. Default 30 seconds
   */
  drain(deadlineMs?: number): Promise<void>;
}

const DRAIN_DEADLINE_MS = 30_000;
/** How long a client may take to read the error of a request that was ended at the deadline. */
const LAST_READING_MS = 2000;

/**
 * Creates a gateway. With `control`, it follows the machine from now on; without, it asks for nothing before the first
 * request.
 *
 * @throws GatewayError `KEY_REQUIRED`, `FILE_UNUSABLE`
 */
export async function createGateway(
  { serving, control: controlled }: GatewayPorts,
  options: GatewayOptions = {},
): Promise<Gateway> {
  const { host = '127.0.0.1', clock = systemClock, pageFolder = null, peers = null } = options;
  const onError = options.onError ?? warnOf;
  if (peers !== null && controlled !== undefined) {
    throw new TypeError('A gateway for other hosts has no control API. Leave `control` out.');
  }
  const admission =
    peers === null
      ? {
          by: 'keys' as const,
          access: createAccess({
            keys: options.keys ?? NO_KEYS,
            listenHost: host,
            allowHosts: options.allowHosts ?? [],
            allowOrigins: options.allowOrigins ?? [],
            clock,
          }),
        }
      : { by: 'certificates' as const, access: createPeerAccess(peers) };
  const page = await createPage({ folder: pageFolder });
  const port = createLivePort(serving, clock);
  const scheduler = createScheduler({ port, clock, limits: options.queue ?? {} });
  const http = createHttpClient(clock);
  const servers = new Set<Listening>();
  const control =
    controlled === undefined || admission.by === 'certificates'
      ? null
      : createControl({
          ...controlled,
          fleet: controlled.fleet ?? null,
          access: admission.access,
          scheduler,
          clock,
          onFault: onError,
        });
  const metrics = createMetrics({
    watch: control?.watch ?? null,
    scheduler,
    version: options.version ?? 'unknown',
  });
  const inference = createInferenceService({
    port,
    scheduler,
    http,
    clock,
    limits: {
      ...DEFAULT_INFERENCE_LIMITS,
      // The gateway of the other host sends its own client the signs of waiting.
      ...(peers === null ? {} : { waitSignAfterMs: Infinity }),
      ...options.limits,
    },
    onServed: (request) => {
      control?.served(request);
      metrics.served(request);
    },
  });
  let isStopping = false;

  const drain = async (deadlineMs = DRAIN_DEADLINE_MS): Promise<void> => {
    isStopping = true;
    let cancel = clock.setTimer(deadlineMs, () => {
      inference.endAll(stopping());
      control?.endAll();
      cancel = clock.setTimer(LAST_READING_MS, () => {
        for (const one of servers) one.destroy();
      });
    });
    const idle = scheduler.drain();
    // Ends the streams of events, which have no end of their own.
    const watched = control?.[Symbol.asyncDispose]();
    // The gateways of other hosts open connections beside their requests, to see that this machine is still there.
    if (peers !== null) await idle;
    await Promise.all([idle, watched, ...[...servers].map((one) => one.close())]);
    cancel();
  };

  const answering: AnswerParts = {
    access: admission.access,
    peers,
    control,
    inference,
    metrics,
    page,
    port,
    fleet: controlled?.fleet ?? null,
    isStopping: () => isStopping,
    onError,
  };
  const handle = createInTurn((request, response) => answerRequest(request, response, answering));
  const isAdmitted =
    peers === null ? null : (socket: unknown): boolean => hostOfSocket(socket, peers) !== null;

  return {
    handle,
    state: () => scheduler.state(),
    listen: async (where = {}) => {
      await checkHttpClient(http);
      const server = await listen(handle, { ...where, host, isAdmitted });
      servers.add(server);
      return server;
    },
    drain,
    [Symbol.asyncDispose]: async () => {
      isStopping = true;
      await control?.[Symbol.asyncDispose]();
      await metrics[Symbol.asyncDispose]();
      for (const one of servers) one.destroy();
      await Promise.all([...servers].map((one) => one.close()));
      await scheduler[Symbol.asyncDispose]();
      await port[Symbol.asyncDispose]();
      await http[Symbol.asyncDispose]();
    },
  };
}

function warnOf(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), 'MaiGatewayWarning');
}
