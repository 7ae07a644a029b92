import type { IncomingMessage, ServerResponse } from 'node:http';
import { createAccess } from './access/create-access.js';
import { NO_KEYS } from './access/keys/key-store.js';
import { createPeerAccess, runOnLease, fingerprintOf } from './access/peer-access.js';
import { API_HEADERS } from './access/page-headers.js';
import type { Scope } from './access/keys/scope.js';
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
import type { SchedulerState } from './queue/scheduler.js';
import {
  answerNotServed,
  endpointMeant,
  protocolOfClient,
} from './server/own-answers/answer-not-served.js';
import { DEFAULT_INFERENCE_LIMITS } from './server/inference/inference-parts.js';
import { lastDecisionHeader } from './server/inference/decision-headers.js';
import { createInTurn } from './server/in-turn.js';
import { createInferenceService } from './server/inference-service.js';
import { listen, type ListenOptions, type Listening } from './server/listen.js';
import { parseTarget, type RequestTarget } from './server/request/request-target.js';
import { INTERNAL_FAILURE } from './server/request/request-refusal.js';
import { sendFailure, sendJson, setHeaders } from './server/responders.js';
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
   * @param deadlineMs - when requests that still run are cut. Default 30 seconds
   */
  drain(deadlineMs?: number): Promise<void>;
}

const DRAIN_DEADLINE_MS = 30_000;
/** For a round trip to NATS. Those who ask for readiness usually wait one second. */
const FLEET_DEADLINE_MS = 500;
/**
 * Paths whose answer shows that the gateway runs. Programs for llama.cpp, vLLM and LiteLLM ask for the second one, and Claude Code
 * asks for the third one before its first request.
 */
const HEALTH: readonly string[] = ['/healthz', '/health', '/api/hello'];

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
  const { access } = admission;
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

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (isStopping) response.setHeader('connection', 'close');
    const target = parseTarget(request.url);
    if (control !== null && target?.path.startsWith('/api/mai/') === true) {
      await control.handle(request, response);
      return;
    }
    const preflight = access.preflight(request);
    if (preflight !== null) {
      response.writeHead(preflight.status, preflight.headers).end();
      return;
    }
    const protocol = protocolOfClient(target?.path ?? '', request.headers);
    const checked = access.check(request, scopeOf(target));
    // Without a file to read, a request goes on at once.
    const admission = checked instanceof Promise ? await checked : checked;
    if (admission.kind === 'refused') {
      const decision = target !== null && isInference(target) ? lastDecisionHeader(null) : {};
      sendFailure(response, protocol, admission.failure, { ...admission.headers, ...decision });
      return;
    }
    setHeaders(response, admission.headers);
    if (peers !== null) runOnLease(request, response, peers);
    if (target !== null && isInference(target)) {
      await inference.serve(request, response, target, admission.client);
    } else if (target !== null && HEALTH.includes(target.path)) {
      sendJson(response, 200, { status: 'ok' }, API_HEADERS);
    } else if (target?.path === '/readyz') await answerReady(response);
    else if (target?.path === '/metrics') await metrics.handle(request, response);
    else if (isForPrograms(request)) answerNotServed(request, response, pathOf(request));
    else page.handle(request, response);
  };

  /** Ready where the runtime answers and the gateway takes requests. */
  const answerReady = async (response: ServerResponse): Promise<void> => {
    const [catalog, fleet] = await Promise.all([
      port.catalog().catch(() => null),
      fleetCondition(controlled?.fleet ?? null),
    ]);
    const isReady = catalog?.runtimeAnswers === true && !isStopping;
    const body = {
      status: isReady ? 'ready' : 'not ready',
      stopping: isStopping,
      runtime: catalog?.runtime ?? null,
      lmStudio: catalog?.runtimeVersion ?? null,
      fleet,
    };
    sendJson(response, isReady ? 200 : 503, body, API_HEADERS);
  };

  const drain = async (deadlineMs = DRAIN_DEADLINE_MS): Promise<void> => {
    isStopping = true;
    // Ends the streams of events, which have no end of their own.
    await control?.[Symbol.asyncDispose]();
    let isLate = false;
    const cut = (): void => {
      isLate = true;
      for (const one of servers) one.destroy();
    };
    const cancel = clock.setTimer(deadlineMs, cut);
    const idle = scheduler.drain();
    // The gateways of other hosts open connections beside their requests, to see that this machine is still there.
    if (peers !== null) await idle;
    const closing = [...servers].map((one) => one.close());
    if (isLate) cut();
    await Promise.all([idle, ...closing]);
    cancel();
  };

  const handle = createInTurn((request, response) => {
    answer(request, response).catch((error: unknown) => {
      onError(error);
      const decision = lastDecisionHeader(port.known());
      if (!response.headersSent) {
        const protocol = protocolOfClient(pathOf(request), request.headers);
        sendFailure(response, protocol, INTERNAL_FAILURE, decision);
      } else if (!response.writableEnded) response.destroy();
    });
  });

  const isAdmitted =
    peers === null
      ? null
      : (socket: unknown): boolean => {
          const fingerprint = fingerprintOf(socket);
          return fingerprint !== null && peers.hostOf(fingerprint) !== null;
        };

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

/** The condition of this machine in its fleet; null without a fleet, and until the machine has published its state. */
async function fleetCondition(fleet: FleetPort | null): Promise<string | null> {
  if (fleet === null) return null;
  if (!(await fleet.ready({ deadlineMs: FLEET_DEADLINE_MS }))) return 'unreachable';
  const { hosts, ownHost } = fleet.report();
  return hosts.find(({ state }) => state.host === ownHost)?.condition ?? null;
}

/** The scope that a request needs; null for what everybody may see. */
function scopeOf(target: RequestTarget | null): Scope | null {
  if (target === null) return null;
  if (target.path === '/metrics') return 'read';
  return isInference(target) ? 'inference' : null;
}

/** Whether a request without an endpoint comes from a program, which reads an error of its protocol, and not from a browser. */
function isForPrograms(request: IncomingMessage): boolean {
  // The page has files only, which a browser gets.
  if (request.method !== 'GET' && request.method !== 'HEAD') return true;
  const path = pathOf(request);
  return path.startsWith('/api/') || endpointMeant(path) !== null;
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

function isInference({ path }: RequestTarget): boolean {
  return path.startsWith('/v1/') || path.startsWith('/api/v0/');
}

function warnOf(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), 'MaiGatewayWarning');
}
