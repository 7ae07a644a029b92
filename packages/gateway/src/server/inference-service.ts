import type { IncomingMessage, ServerResponse } from 'node:http';
import { createResolveModel } from '../models/resolve-model.js';
import { TokenCounter } from '../models/token-counter.js';
import type { Clock } from '../ports/clock.js';
import type { LivePort } from '../ports/live-port.js';
import type { ServingCatalog } from '../ports/serving-port.js';
import type { Failure } from '../protocols/protocol.js';
import { lastDecisionHeader } from './inference/decision-headers.js';
import {
  createHasEndpoint,
  INFERENCE_ENDPOINTS,
  type InferenceEndpoint,
} from '../protocols/routes.js';
import type { Scheduler, SchedulingFailure } from '../queue/scheduler.js';
import type { HttpClient } from '../upstream/http-client.js';
import { answerCountTokens } from './own-answers/answer-count-tokens.js';
import { createModelLists, isModelList } from './own-answers/answer-models.js';
import {
  answerNotServed,
  countsTokens,
  protocolOfClient,
} from './own-answers/answer-not-served.js';
import { createAnswerMeter } from './inference/measure-answers.js';
import type { Client, InferenceLimits, InferenceParts } from './inference/inference-parts.js';
import { readCatalog } from './own-answers/read-catalog.js';
import { BodyMemory } from './request/body-memory.js';
import type { RequestTarget } from './request/request-target.js';
import { ResponseHomes } from './inference/response-homes.js';
import { sendFailure, setHeaders } from './responders.js';
import { serveInference } from './inference/serve-inference.js';
import type { ServedRequest } from './inference/served-request.js';
import { createFailure } from '../protocols/create-failure.js';

/** Answers the requests for inference. */
export interface InferenceService {
  /** Answers one request. Rejects only with a bug, after the client was answered. */
  serve(
    request: IncomingMessage,
    response: ServerResponse,
    target: RequestTarget,
    client: Client,
  ): Promise<void>;
  /** Ends the requests that run or wait. Their clients get the failure. */
  endAll(reason: SchedulingFailure): void;
}

/** The parts of the service. */
export interface InferenceServiceParts {
  readonly port: LivePort;
  readonly scheduler: Scheduler;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly limits: InferenceLimits;
  /** Called once for each request when its answer has ended. */
  readonly onServed: (request: ServedRequest) => void;
}

/** Creates the service. */
export function createInferenceService(parts: InferenceServiceParts): InferenceService {
  const { port, scheduler, http, clock, limits, onServed } = parts;
  const bodies = new BodyMemory(limits.maxBufferedBytes, limits.maxBodyBytes);
  const counter = new TokenCounter();
  const homes = new ResponseHomes();
  const resolve = createResolveModel(counter);
  const lists = createModelLists(port, resolve);
  const meter = createAnswerMeter(port);
  const hasEndpoint = createHasEndpoint();
  port.onChange(({ type }) => {
    if (type === 'loading' || type === 'switched' || type === 'loaded') meter.disturb();
  });
  const inference: InferenceParts = {
    meter,
    scheduler,
    http,
    clock,
    limits,
    bodies,
    running: new Set(),
    resolve,
    knownCatalog: () => port.known(),
    catalog: (signal) => readCatalog(port, signal),
    promptTokens: (facts, modelKey) => counter.count(modelKey === null ? [] : [modelKey], facts),
    learnPrompt: (modelKey, facts, promptTokens) => counter.learn(modelKey, facts, promptTokens),
    residentOfResponse: (responseId) => homes.find(responseId),
    served: (request) => {
      const { modelKey, instanceIdentifier, facts, usage, responseId } = request;
      if (modelKey !== null && facts !== null && typeof usage?.promptTokens === 'number') {
        counter.learn(modelKey, facts, usage.promptTokens);
      }
      if (responseId !== null && instanceIdentifier !== null) {
        homes.add(responseId, instanceIdentifier);
      }
      onServed(request);
    },
  };
  const serveEndpoint = (
    { request, response, target: { path, query }, client }: Arrived,
    { protocol, since }: InferenceEndpoint,
    catalog: ServingCatalog | null,
  ): Promise<void> => {
    const version = catalog?.runtimeVersion ?? null;
    if (!hasEndpoint({ protocol, since }, version)) {
      const failure = missingEndpoint(path, version, since);
      sendFailure(response, protocol, failure, lastDecisionHeader(catalog));
      return Promise.resolve();
    }
    const route = { protocol, path: path + query, client };
    return serveInference(request, response, route, inference);
  };
  const serveOther = async ({ request, response, target, client }: Arrived): Promise<void> => {
    // The answer of an endpoint for inference has its headers from the choice that is made for it.
    setHeaders(response, lastDecisionHeader(port.known() ?? (await catalogOrNull(port))));
    const { path } = target;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (isRead && isModelList(path)) {
      await lists.answer(response, target, protocolOfClient(path, request.headers));
    } else if (request.method === 'POST' && countsTokens(path)) {
      const { maxBodyBytes: maxBytes } = limits;
      const share = bodies.begin(client.name);
      await answerCountTokens(request, response, { port, counter, maxBytes, share });
    } else answerNotServed(request, response, path);
  };
  return {
    serve: (request, response, target, client) => {
      const arrived = { request, response, target, client };
      const endpoint = request.method === 'POST' ? INFERENCE_ENDPOINTS.get(target.path) : undefined;
      if (endpoint === undefined) return serveOther(arrived);
      const catalog = port.known();
      if (catalog !== null) return serveEndpoint(arrived, endpoint, catalog);
      return catalogOrNull(port).then((read) => serveEndpoint(arrived, endpoint, read));
    },
    endAll: (reason) => {
      for (const one of [...inference.running]) one.end(reason);
    },
  };
}

/** A request for the service. */
interface Arrived {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: RequestTarget;
  readonly client: Client;
}

/** Null where the machine is out of reach. The request itself then fails with the reason. */
function catalogOrNull(port: LivePort): Promise<ServingCatalog | null> {
  return port.catalog().catch(() => null);
}

function missingEndpoint(path: string, version: string | null, since: string): Failure {
  return createFailure(
    'not_supported',
    501,
    `LM Studio ${version ?? ''} has no ${path}; version ${since} and later have it. Update LM Studio, or use /v1/chat/completions.`,
  );
}
