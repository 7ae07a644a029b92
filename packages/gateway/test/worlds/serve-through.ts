import { createAnswerMeter } from '../../src/server/inference/measure-answers.js';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Simulator } from '@mai/lmstudio-simulator';
import { systemClock } from '../../src/ports/clock.js';
import {
  ANY_MODEL,
  type ServingCatalog,
  type ServingLease,
  type ServingModel,
  type ServingPeer,
  type ServingRequest,
} from '../../src/ports/serving-port.js';
import { INFERENCE_ENDPOINTS } from '../../src/protocols/routes.js';
import type { PlaceRequest, Scheduler } from '../../src/queue/scheduler.js';
import {
  DEFAULT_INFERENCE_LIMITS,
  type InferenceLimits,
} from '../../src/server/inference/inference-parts.js';
import type { Departure } from '../../src/server/inference/departure.js';
import { BodyMemory } from '../../src/server/request/body-memory.js';
import { serveInference } from '../../src/server/inference/serve-inference.js';
import type { ServedRequest } from '../../src/server/inference/served-request.js';
import { createHttpClient } from '../../src/upstream/http-client.js';

/** The inference part of a gateway in front of a simulator, with a scheduler that a test controls. */
export interface Front extends AsyncDisposable {
  readonly url: string;
  /** The requests that asked for a place. */
  readonly asked: readonly PlaceRequest[];
  /** How the places were released. */
  readonly released: readonly ('done' | 'failed')[];
  readonly served: readonly ServedRequest[];
}

/** Options of `serveThrough`. */
export interface FrontOptions {
  readonly limits?: Partial<InferenceLimits>;
  /** Gives the name of the resident for each attempt, after any wait. Default: the first resident of the simulator. */
  readonly place?: (request: PlaceRequest) => Promise<string> | string;
  /** The gateway of another host that answers in the runtime's place. */
  readonly peer?: ServingPeer;
  /** The request to the machine that each request becomes. Default: any model. */
  readonly wanted?: ServingRequest;
  /** Requests that are tried where nothing fits. Default: none. */
  readonly alternatives?: readonly ServingRequest[];
  /** The longest context that the models allow. Default: the request sets no condition. */
  readonly longest?: number;
  /** The hosts of the fleet. Default: no fleet. */
  readonly hosts?: readonly string[];
  /** The resident that gave all earlier responses. Default: they are not known. */
  readonly responsesFrom?: string;
  /** The runtime of this machine. Default: LM Studio. */
  readonly runtime?: ServingCatalog['runtime'];
}

export const EMPTY_CATALOG: ServingCatalog = {
  models: [],
  chains: { default: [] },
  aliases: [],
  otherNames: {},
  leftOut: {},
  unreachableNote: null,
  hosts: null,
  runtime: 'lmstudio',
  runtimeAnswers: true,
  runtimeVersion: null,
  decisionId: 'd-1',
};

function modelWith(instanceIdentifier: string): ServingModel {
  return {
    modelKey: instanceIdentifier,
    displayName: instanceIdentifier,
    kind: 'llm',
    tier: 'medium',
    capabilities: ['chat'],
    contextLengthTokens: null,
    maxContextLengthTokens: null,
    sizeBytes: null,
    downloaded: true,
    hosts: null,
    residents: [{ instanceIdentifier, contextLengthTokens: null, foreign: false, host: null }],
  };
}

/** The part of a simulator that is used here, so that a test can put another server in its place. */
export type Upstream = Pick<Simulator, 'httpUrl' | 'residents'>;

export function leaseOn(simulator: Upstream, identifier: string): ServingLease {
  return {
    modelKey: identifier,
    instanceIdentifier: identifier,
    tier: 'medium',
    capabilities: ['chat'],
    contextLengthTokens: null,
    baseUrl: simulator.httpUrl,
    requestHeaders: {},
    decisionId: 'd-2',
    peer: null,
    forOneRequest: false,
    ended: null,
    placementId: null,
    lost: new AbortController().signal,
    release: async () => undefined,
  };
}

/** Serves the inference endpoints over a socket. */
export async function serveThrough(
  simulator: Upstream,
  options: FrontOptions = {},
): Promise<Front> {
  const asked: PlaceRequest[] = [];
  const released: ('done' | 'failed')[] = [];
  const served: ServedRequest[] = [];
  const first = (): string => simulator.residents()[0]?.instanceIdentifier ?? 'qwen/qwen3-4b';
  const scheduler: Scheduler = {
    place: async (request) => {
      asked.push(request);
      const identifier = await (options.place ?? first)(request);
      return {
        lease: { ...leaseOn(simulator, identifier), peer: options.peer ?? null },
        waitedMs: 0,
        release: (outcome) => void released.push(outcome),
      };
    },
    tryPlace: () => null,
    state: () => ({ lanes: [], waiting: 0, oldestWaitMs: 0, loading: null }),
    drain: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const http = createHttpClient();
  const limits = { ...DEFAULT_INFERENCE_LIMITS, ...options.limits };
  const { hosts = null, runtime = 'lmstudio', responsesFrom = null } = options;
  const models = responsesFrom === null ? [] : [modelWith(responsesFrom)];
  const catalog = { ...EMPTY_CATALOG, models, hosts, runtime };
  const parts = {
    scheduler,
    http,
    clock: systemClock,
    limits,
    bodies: new BodyMemory(limits.maxBufferedBytes, limits.maxBodyBytes),
    running: new Set<Departure>(),
    meter: createAnswerMeter({}),
    knownCatalog: () => catalog,
    catalog: async () => catalog,
    resolve: () => ({
      kind: 'resolved' as const,
      wanted: options.wanted ?? ANY_MODEL,
      alternatives: options.alternatives ?? [],
      longest: options.longest ?? null,
    }),
    promptTokens: () => 7,
    learnPrompt: () => undefined,
    residentOfResponse: () => responsesFrom,
    served: (request: ServedRequest) => void served.push(request),
  };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const endpoint = INFERENCE_ENDPOINTS.get(path);
    if (endpoint === undefined) throw new Error(`No endpoint ${path}`);
    const { protocol } = endpoint;
    void serveInference(
      request,
      response,
      { protocol, path, client: { name: request.headers['user-agent'] ?? 'test', priority: 0 } },
      parts,
    );
  });
  const url = await listenOn(server);
  return {
    url,
    asked,
    released,
    served,
    [Symbol.asyncDispose]: async () => {
      await http[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Listens on a free port of loopback. */
export async function listenOn(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
