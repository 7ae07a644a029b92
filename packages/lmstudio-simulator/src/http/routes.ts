import type { ActiveFaults } from '../faults/active-faults.js';
import { hasEndpoint, isHttpEndpoint } from '../profile/http-api.js';
import type { HttpEndpoint } from '../profile/http-api.js';
import type { Authenticator } from '../wire/authenticator.js';
import type { Backend } from '../runtime/backend.js';
import { sendMessagesFailure } from './anthropic/failures.js';
import { countMessageTokens, messages } from './anthropic/messages.js';
import type { Exchange } from './exchange.js';
import { RequestFailure } from './generation/request-failure.js';
import { listOpenAi, listV0, listV1, oneV0 } from './list-models.js';
import { loadV1, unloadV1 } from './load-models.js';
import { chatCompletions } from './openai/chat-completions.js';
import { completions } from './openai/completions.js';
import { embeddings } from './openai/embeddings.js';
import { sendFailure } from './openai/failures.js';
import { responses } from './responses/responses.js';

/** The parts of the simulator that HTTP requests need. */
export interface RouteOptions {
  readonly backend: Backend;
  readonly authenticator: Authenticator;
}

type Handler = (backend: Backend, exchange: Exchange) => Promise<void> | void;

const ONE_MODEL = '/api/v0/models/';

const HANDLERS: Readonly<Record<HttpEndpoint, Handler>> = {
  'GET /v1/models': (backend, exchange) => ok(exchange, listOpenAi(backend)),
  'POST /v1/chat/completions': chatCompletions,
  'POST /v1/completions': completions,
  'POST /v1/embeddings': embeddings,
  'POST /v1/responses': responses,
  'POST /v1/messages': messages,
  'POST /v1/messages/count_tokens': countMessageTokens,
  'GET /api/v0/models': (backend, exchange) => ok(exchange, listV0(backend)),
  'GET /api/v0/models/{model}': (backend, exchange) =>
    ok(exchange, oneV0(backend, exchange.path.slice(ONE_MODEL.length))),
  'POST /api/v0/chat/completions': chatCompletions,
  'POST /api/v0/completions': completions,
  'POST /api/v0/embeddings': embeddings,
  'GET /api/v1/models': (backend, exchange) => ok(exchange, listV1(backend)),
  'POST /api/v1/models/load': async (backend, exchange) =>
    exchange.send(await loadV1(backend, exchange.body, () => exchange.cut())),
  'POST /api/v1/models/unload': (backend, exchange) =>
    ok(exchange, unloadV1(backend, exchange.body)),
  'POST /api/v1/models/download': notSimulated,
  'POST /api/v1/chat': notSimulated,
};

/** Answers one HTTP request, unless a fault prevents the answer. */
export async function answerRequest(exchange: Exchange, options: RouteOptions): Promise<void> {
  const { backend } = options;
  const { faults } = backend.runtime;
  const { method, path } = exchange;
  if (faults.trigger('not-lm-studio')) {
    exchange.sendPage('<!doctype html><title>It works!</title>');
    return;
  }
  const isDiscovery = path === '/lmstudio-greeting' || path === '/lms-status';
  const hangs = (fault: { readonly endpoint?: string }): boolean =>
    fault.endpoint === 'http' ||
    fault.endpoint === path ||
    (isDiscovery && fault.endpoint === 'greeting');
  // The connection of a request without an answer stays open until stop().
  if (faults.trigger('hang', hangs)) return;
  if (method === 'GET' && isDiscovery) {
    const { version } = backend.runtime;
    ok(
      exchange,
      path === '/lmstudio-greeting' ? { lmstudio: true } : { package: 'lmstudio', version },
    );
    return;
  }
  await answerApi(exchange, options);
}

async function answerApi(
  exchange: Exchange,
  { backend, authenticator }: RouteOptions,
): Promise<void> {
  const { runtime } = backend;
  const { faults } = runtime;
  const { method, path } = exchange;
  // It is not known how LM Studio's port answers while the HTTP server is off. Here it answers as to an unknown
  // path.
  const isApi = runtime.httpServer && /^\/(api|v1)\//.test(path);
  if (isApi) {
    const rejection = faults.trigger('reject-authentication');
    const refusal = rejection
      ? (rejection.text ?? 'Invalid API token')
      : authenticator.checkHeader(authorizationOf(exchange));
    if (refusal !== null) {
      fail(
        exchange,
        new RequestFailure(401, refusal, { type: 'invalid_request', code: 'invalid_api_key' }),
      );
      return;
    }
    // Invented: no capture shows the text of these events.
    runtime.log.emit({ type: 'server.log', content: `${method} ${path}`, level: 'info' });
  }
  const endpoint = isApi ? findEndpoint(backend, method, path) : null;
  if (endpoint === null) {
    // LM Studio answers an unknown path with status 200 and this body.
    ok(exchange, { error: `Unexpected endpoint or method. (${method} ${exchange.url})` });
    return;
  }
  try {
    failByFault(exchange, endpoint, faults);
    await HANDLERS[endpoint](backend, exchange);
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error;
    fail(exchange, error);
  }
}

function findEndpoint({ runtime }: Backend, method: string, path: string): HttpEndpoint | null {
  const isOneModel = path.startsWith(ONE_MODEL) && path.length > ONE_MODEL.length;
  const name = `${method} ${isOneModel ? `${ONE_MODEL}{model}` : path}`;
  if (!isHttpEndpoint(name)) return null;
  return (runtime.world.httpEndpoints[name] ?? hasEndpoint(runtime.profile, name)) ? name : null;
}

// The fault http-error, for requests that generate texts or embeddings.
function failByFault(exchange: Exchange, endpoint: HttpEndpoint, faults: ActiveFaults): void {
  const { body, path } = exchange;
  if (!endpoint.startsWith('POST ') || endpoint.startsWith('POST /api/v1/')) return;
  const model = typeof body === 'object' && body !== null && 'model' in body ? body.model : null;
  const fault = faults.triggerFor('http-error', { modelKey: model, endpoint: path });
  if (fault) {
    throw new RequestFailure(fault.status ?? 500, fault.text ?? 'Simulated error of the server.');
  }
}

// From documentation: `/v1/messages` accepts the token in Anthropic's header, too.
function authorizationOf({ headers, path }: Exchange): string | undefined {
  const key = headers['x-api-key'] ?? headers['x-api-token'];
  return path.startsWith('/v1/messages') && headers.authorization === undefined && key !== undefined
    ? `Bearer ${String(key)}`
    : headers.authorization;
}

function fail(exchange: Exchange, failure: RequestFailure): void {
  if (exchange.path.startsWith('/v1/messages')) sendMessagesFailure(exchange, failure);
  else sendFailure(exchange, failure);
}

function ok(exchange: Exchange, body: object): void {
  exchange.send({ status: 200, body });
}

function notSimulated(_backend: Backend, exchange: Exchange): void {
  const message = `The LM Studio simulator does not simulate ${exchange.path}.`;
  throw new RequestFailure(501, message, { type: 'not_implemented' });
}
