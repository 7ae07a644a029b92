import type { IncomingHttpHeaders } from 'node:http';
import { connectionNames, HOP_BY_HOP } from './connection-headers.js';

/** Request headers that the runtime never receives: the client's secrets, its place, and the framing of its body. */
const NOT_SENT = new Set([
  ...HOP_BY_HOP,
  'authorization',
  'x-api-key',
  'api-key',
  'cookie',
  'x-mai-csrf',
  'origin',
  'referer',
  'host',
  'forwarded',
  'content-length',
  'content-encoding',
  // Failures are recognized in the first bytes of an answer, so the answer must not be compressed.
  'accept-encoding',
  'expect',
  // Only this gateway says under which lease it asks another host.
  'x-mai-lease',
]);

/**
 * The headers for the runtime: those of the client without its secrets, and the runtime's own token.
 *
 * @param own - headers of the runtime's lease
 */
export function forwardedHeaders(
  client: IncomingHttpHeaders,
  own: Readonly<Record<string, string>>,
): Record<string, string | string[]> {
  // Headers that `Connection` names belong to one connection, too.
  const named = connectionNames(client.connection);
  const headers: Record<string, string | string[]> = {};
  // Without a list of the entries, which each request and each answer would make.
  for (const name in client) {
    const value = client[name];
    if (value === undefined || NOT_SENT.has(name) || name.startsWith('x-forwarded-')) continue;
    if (named.includes(name)) continue;
    headers[name] = value;
  }
  // The body is known to be JSON. Servers read no JSON under another type, such as the one that `curl -d` sends.
  // `Connection` may also have named it, by which the client takes it away.
  if (!isJson(headers['content-type'])) headers['content-type'] = 'application/json';
  Object.assign(headers, own);
  headers['accept-encoding'] = 'identity';
  return headers;
}

function isJson(contentType: string | string[] | undefined): boolean {
  if (contentType === 'application/json') return true;
  return typeof contentType === 'string' && /^\s*application\/json\s*(;|$)/i.test(contentType);
}
