import type { IncomingMessage, ServerResponse } from 'node:http';
import { createResolveModel } from '../models/resolve-model.js';
import { TokenCounter } from '../models/token-counter.js';
import type { Clock } from '../ports/clock.js';
import type { LivePort } from '../ports/live-port.js';
import type { ServingCatalog } from '../ports/serving-port.js';
import type { Failure } from '../protocols/protocol.js';
import { lastDecisionHeader } from './inference/decision-headers.js';
import { hasEndpoint, INFERENCE_ENDPOINTS } from '../protocols/routes.js';
import type { Scheduler } from '../queue/scheduler.js';
import type { HttpClient } from '../upstream/http-client.js';
import { answerCountTokens } from './own-answers/answer-count-tokens.js';
import { createModelLists, isModelList } from './own-answers/answer-models.js';
import { answerNotServed, countsTokens } from './own-answers/answer-not-served.js';
import { createAnswerMeter } from './inference/measure-answers.js';
import type { Client, InferenceLimits, InferenceParts } from './inference/inference-parts.js';
import { readCatalog } from './own-answers/read-catalog.js';
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
  const counter = new TokenCounter();
  const homes = new ResponseHomes();
  const resolve = createResolveModel(counter);
  const lists = createModelLists(port, resolve);
  const meter = createAnswerMeter(port);
  port.onChange(({ type }) => {
    if (type === 'loading' || type === 'switched' || type === 'loaded') meter.disturb();
  });
  const inference: InferenceParts = {
    meter,
    scheduler,
    http,
    clock,
    limits,
    resolve,
    knownCatalog: () => port.known(),
    catalog: (signal) => readCatalog(port, signal),
    promptTokens: (facts) => counter.count([], facts),
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
  return {
    serve: async (request, response, target, client) => {
      const { path, query } = target;
      const endpoint = request.method === 'POST' ? INFERENCE_ENDPOINTS.get(path) : undefined;
      if (endpoint === undefined) {
        // The answer of an endpoint for inference has its headers from the choice that is made for it.
        setHeaders(response, lastDecisionHeader(port.known() ?? (await catalogOrNull(port))));
      }
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      if (isRead && isModelList(path)) {
        await lists.answer(response, target);
        return;
      }
      if (request.method === 'POST' && countsTokens(path)) {
        await answerCountTokens(request, response, {
          port,
          counter,
          maxBytes: limits.maxBodyBytes,
        });
        return;
      }
      if (endpoint === undefined) {
        answerNotServed(request, response, path);
        return;
      }
      const { protocol } = endpoint;
      const catalog = port.known() ?? (await catalogOrNull(port));
      const version = catalog?.runtimeVersion ?? null;
      if (!hasEndpoint(endpoint, version)) {
        const failure = missingEndpoint(path, version, endpoint.since);
        sendFailure(response, protocol, failure, lastDecisionHeader(catalog));
        return;
      }
      await serveInference(request, response, { protocol, path: path + query, client }, inference);
    },
  };
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
