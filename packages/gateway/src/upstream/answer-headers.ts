import { connectionNames, HOP_BY_HOP } from './connection-headers.js';

/** The headers of an answer, by name in lower case. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Headers by which a server sets rules or state for its whole origin in a browser, or gives orders to a proxy. For a client, the origin
 * is the gateway, with its page and its sign-in, and a proxy in front of it has files of its own.
 */
const NOT_RETURNED = new Set([
  ...HOP_BY_HOP,
  'accept-ch',
  'activate-storage-access',
  'alt-svc',
  'authentication-info',
  'clear-site-data',
  'content-security-policy',
  'content-security-policy-report-only',
  'critical-ch',
  'document-policy',
  'expect-ct',
  'feature-policy',
  'integrity-policy',
  'integrity-policy-report-only',
  'link',
  'nel',
  'origin-agent-cluster',
  'permissions-policy',
  'permissions-policy-report-only',
  'public-key-pins',
  'public-key-pins-report-only',
  'referrer-policy',
  'refresh',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
  'set-cookie',
  'set-cookie2',
  'set-login',
  'sourcemap',
  'speculation-rules',
  'strict-transport-security',
  'timing-allow-origin',
  'use-as-dictionary',
  'www-authenticate',
  'x-content-security-policy',
  'x-dns-prefetch-control',
  'x-frame-options',
  'x-lighttpd-send-file',
  'x-permitted-cross-domain-policies',
  'x-reproxy-url',
  'x-sendfile',
  'x-sendfile2',
  'x-sourcemap',
  'x-ua-compatible',
  'x-webkit-csp',
  'x-xss-protection',
]);

/**
 * Prefixes of such headers. `x-accel-buffering` only tells nginx to pass a stream on at once. `x-mai-` belongs to this gateway:
 * what another server says under these names is not about the choice that was made here.
 */
const NOT_RETURNED_FAMILY =
  /^(?:access-control-|attribution-reporting-|cross-origin-|sec-|surrogate-|x-accel-(?!buffering$)|x-litespeed-|x-mai-)/;

/** The headers of an answer for the client: those of the runtime, known or not, without the ones above. */
export function returnedHeaders(headers: AnswerHeaders): Record<string, string | string[]> {
  const named = connectionNames(headers['connection']);
  const returned: Record<string, string | string[]> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || NOT_RETURNED.has(name) || named.includes(name)) continue;
    if (NOT_RETURNED_FAMILY.test(name)) continue;
    returned[name] = typeof value === 'string' ? value : [...value];
  }
  return returned;
}

/** Headers that describe an answer and its body. `connection` names headers that `returnedHeaders` leaves out. */
const OF_PEER = new Set([
  'cache-control',
  'connection',
  'content-encoding',
  'content-language',
  'content-length',
  'content-type',
  'date',
  'request-id',
  'retry-after',
  'server-timing',
]);

/** Headers of the APIs that clients speak, and those that no standard defines. */
const FAMILY_OF_PEER = /^(?:x-|openai-|anthropic-|ratelimit)/;

/**
 * The headers that are believed of the gateway of another host. That host may be in the hands of somebody else, and browsers get new
 * standard headers with orders for an origin every year, so of the standard ones only those of a list pass. The runtime of the other
 * host may send headers that no standard defines. These names begin with `x-`, and `returnedHeaders` leaves out those among them that
 * are orders.
 */
export function headersOfPeer(headers: AnswerHeaders): AnswerHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => OF_PEER.has(name) || FAMILY_OF_PEER.test(name)),
  );
}
