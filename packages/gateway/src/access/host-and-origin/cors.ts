import type { IncomingMessage } from 'node:http';

/** The answer to a preflight. Its body is empty. */
export interface PreflightAnswer {
  readonly status: 204 | 403;
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers of the gateway that a page of an allowed origin may read. */
const EXPOSED = [
  'retry-after',
  'x-mai-decision',
  'x-mai-fallbacks',
  'x-mai-host',
  'x-mai-model',
  'x-mai-placement',
  'x-mai-queue-ms',
  'x-request-id',
].join(', ');

/** How long a browser remembers a preflight. */
const PREFLIGHT_SECONDS = 600;
/** A browser names few headers. A preflight that names more is not from a browser. */
const REQUESTED_HEADERS_MAX = 2000;

/** The headers that let a page of an allowed origin read an answer. */
export function corsHeaders(origin: string): Record<string, string> {
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': EXPOSED,
    vary: 'origin',
  };
}

/** Whether a browser asks with this request whether it may send another one (Fetch standard, CORS-preflight). */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

/** The headers of the answer to a preflight of an allowed origin. */
export function preflightHeaders(origin: string, request: IncomingMessage): Record<string, string> {
  const asked = request.headers['access-control-request-headers'] ?? '';
  // Names of headers only: the text goes back into a header.
  const isList =
    asked.length <= REQUESTED_HEADERS_MAX && /^[a-z0-9-]+(, ?[a-z0-9-]+)*$/i.test(asked);
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, HEAD, POST, DELETE',
    ...(isList ? { 'access-control-allow-headers': asked } : {}),
    ...(request.headers['access-control-request-private-network'] === 'true'
      ? { 'access-control-allow-private-network': 'true' }
      : {}),
    'access-control-max-age': String(PREFLIGHT_SECONDS),
    vary: 'origin, access-control-request-method, access-control-request-headers',
  };
}
