import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Engine } from '../engine/engine.js';
import { RequestError } from '../engine/request-error.js';
import { sendJson, type ErrorForm, type Exchange } from './exchange.js';
import { openAiError } from './openai/openai-error.js';
import { findRoute } from './routes.js';

/**
 * Serves the engine over HTTP on loopback.
 *
 * @param stop - ends the process; called for `POST /mai/stop` after the answer
 * @returns the port
 */
export async function startServer(engine: Engine, stop: () => void): Promise<number> {
  const server = createServer((request, response) => {
    void answer(engine, request, response, stop);
  });
  // No time limits: an answer takes as long as the model needs, and a client may leave its connection idle for a long time. A process
  // that was suspended would count its own pause as the client's.
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  server.timeout = 0;
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

async function answer(
  engine: Engine,
  request: IncomingMessage,
  response: ServerResponse,
  stop: () => void,
): Promise<void> {
  const departure = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) departure.abort(new Error('the client has left'));
  });
  const exchange: Exchange = { engine, request, response, signal: departure.signal };
  let form: ErrorForm = openAiError;
  try {
    checkToken(request, engine.spec.token);
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const route = findRoute(request.method ?? 'GET', pathname);
    form = route.errorForm;
    await route.handle(exchange);
    if (route.endsEngine) stop();
  } catch (error) {
    if (!departure.signal.aborted) fail(response, error, form);
  }
}

function checkToken(request: IncomingMessage, token: string): void {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return;
  throw new RequestError(
    401,
    'Incorrect API key provided. The engine takes the bearer token that its parent gave it.',
    {
      code: 'invalid_api_key',
    },
  );
}

/** Writes an error: as the answer, or as the last event where the answer has begun. */
function fail(response: ServerResponse, error: unknown, form: ErrorForm): void {
  const known =
    error instanceof RequestError
      ? error
      : new RequestError(500, error instanceof Error ? error.message : String(error));
  const body = form(known);
  if (!response.headersSent) {
    // The rest of a refused body is not read.
    if (!response.req.complete) response.setHeader('connection', 'close');
    // The packages of OpenAI and Anthropic try again on each status from 500 on, unless this header says no.
    if (known.status === 501) response.setHeader('x-should-retry', 'false');
    sendJson(response, known.status, body);
    return;
  }
  const event = body['type'] === 'error' ? 'event: error\n' : '';
  response.end(`${event}data: ${JSON.stringify(body)}\n\n`);
}
