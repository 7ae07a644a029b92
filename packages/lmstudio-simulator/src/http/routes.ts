import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ActiveFaults } from '../faults/active-faults.js';
import type { RequestLog } from '../request-log.js';
import type { Authenticator } from '../wire/authenticator.js';
import type { Backend } from '../endpoints/backend.js';
import type { HttpAnswer } from './http-answer.js';
import { httpError } from './http-answer.js';
import { listOpenAi, listV0, listV1, oneV0 } from './list-models.js';
import { loadV1, unloadV1 } from './load-models.js';

/** The parts of the simulator that HTTP requests need. */
export interface RouteOptions {
  readonly backend: Backend;
  readonly authenticator: Authenticator;
  readonly faults: ActiveFaults;
  readonly log: RequestLog;
}

// The paths of LM Studio's API that generate text or embeddings, or download models.
const NOT_SIMULATED =
  /^\/(v1|api\/v0)\/(chat\/completions|completions|embeddings|responses|messages)$|^\/api\/v1\/(chat|models\/download)$/;

const LARGEST_BODY_BYTES = 2 ** 20;

/** Answers one HTTP request, unless a fault prevents the answer. */
export async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  options: RouteOptions,
): Promise<void> {
  const { faults, log } = options;
  const method = request.method ?? 'GET';
  const path = readPath(request.url ?? '/');
  const body = method === 'POST' ? await readBody(request) : undefined;
  log.add({ via: 'http', namespace: method, endpoint: path, parameter: body ?? null });

  if (faults.trigger('not-lm-studio')) {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!doctype html><title>It works!</title>');
    return;
  }
  const greeting = path === '/lmstudio-greeting' || path === '/lms-status';
  const hangs = (fault: { readonly endpoint?: string }): boolean =>
    fault.endpoint === 'http' ||
    fault.endpoint === path ||
    (greeting && fault.endpoint === 'greeting');
  // The connection of a request without an answer stays open until stop().
  if (faults.trigger('hang', hangs)) return;

  const answer = await route(method, path, body, request, options);
  if (answer === null) return;
  response.writeHead(answer.status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(answer.body));
}

async function route(
  method: string,
  path: string,
  body: unknown,
  request: IncomingMessage,
  { backend, authenticator, faults }: RouteOptions,
): Promise<HttpAnswer | null> {
  const { runtime, profile } = backend;
  const ok = (answerBody: object): HttpAnswer => ({ status: 200, body: answerBody });
  switch (`${method} ${path}`) {
    case 'GET /lmstudio-greeting':
      return ok({ lmstudio: true });
    case 'GET /lms-status':
      return ok({ package: 'lmstudio', version: runtime.world.version ?? profile.version });
    default:
  }
  // What LM Studio's own port answers while the HTTP server is off is not known. Here it answers as
  // to an unknown path.
  if (runtime.httpServer && /^\/(api|v1)\//.test(path)) {
    const rejection = faults.trigger('reject-authentication');
    const refusal = rejection
      ? (rejection.text ?? 'Invalid API token')
      : authenticator.checkHeader(request.headers.authorization);
    if (refusal !== null) {
      return httpError(401, 'invalid_request', refusal, { code: 'invalid_api_key' });
    }
    // Invented: no capture shows the text of these events.
    runtime.log.emit({ type: 'server.log', content: `${method} ${path}`, level: 'info' });
    switch (`${method} ${path}`) {
      case 'GET /v1/models':
        return ok(listOpenAi(backend));
      case 'GET /api/v0/models':
        return ok(listV0(backend));
      case 'GET /api/v1/models':
        if (profile.modern) return ok(listV1(backend));
        break;
      case 'POST /api/v1/models/load':
        if (profile.modern) return loadV1(backend, body, () => request.socket.destroy());
        break;
      case 'POST /api/v1/models/unload':
        if (profile.modern) return unloadV1(backend, body);
        break;
      default:
        if (method === 'GET' && path.startsWith('/api/v0/models/')) {
          return oneV0(backend, path.slice('/api/v0/models/'.length));
        }
        if (method === 'POST' && NOT_SIMULATED.test(path)) {
          const message = `The LM Studio simulator does not simulate ${path}.`;
          return httpError(501, 'not_implemented', message);
        }
    }
  }
  // LM Studio answers an unknown path with status 200 and this body.
  return ok({ error: `Unexpected endpoint or method. (${method} ${path})` });
}

function readPath(url: string): string {
  const [encoded = '/'] = url.split('?');
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Throws where the body is not JSON, or where the client disconnects before its end.
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST_BODY_BYTES) return null;
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return null;
  }
}
