import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Failure } from '../../protocols/protocol.js';
import { corsHeaders } from './cors.js';
import { isAllowedHost, originKind } from './host-rules.js';
import { createFailure } from '../../protocols/create-failure.js';

/** Names and origins that are allowed beside loopback. */
export interface SiteRules {
  /** `name` for any port, or `name:port`. */
  readonly allowHosts: readonly string[];
  /** Origins as browsers send them, such as `app://obsidian.md` or `http://localhost:3000`; `*` for all. */
  readonly allowOrigins: readonly string[];
}

/** Whether a request may come from the site that sent it. */
export type SiteVerdict =
  | {
      readonly kind: 'admitted';
      /** The origin of another site that may read the answer; null for the gateway's own page and for programs. */
      readonly origin: string | null;
      /** Headers for the answer. */
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'refused'; readonly failure: Failure };

const QUOTED_MAX = 100;

/**
 * Checks the target, Host and Origin of a request, before anything else is read from it.
 *
 * @param isPage - whether the request asks for the page itself, which a link of another site may open
 */
export function checkSite(
  request: IncomingMessage,
  { allowHosts, allowOrigins }: SiteRules,
  isPage: boolean,
): SiteVerdict {
  const { headers, url = '' } = request;
  const { host } = headers;
  if (!url.startsWith('/') && !(url === '*' && request.method === 'OPTIONS')) {
    return invalid('The request target must be a path. The gateway is not a proxy.');
  }
  if (host === undefined || countOf(request, 'host') !== 1) {
    return invalid('The request must have exactly one Host header.');
  }
  const encrypted = isEncrypted(request);
  if (!mayName(host, request.socket, encrypted, allowHosts)) {
    return forbidden(
      `The host name ${quoted(host)} is not allowed, so that other sites cannot reach this machine by a name of their own. If the name is yours, start the gateway with --allow-host ${plain(host)}.`,
    );
  }
  const { origin } = headers;
  if (origin !== undefined) {
    const kind = originKind(origin, host, encrypted, allowOrigins);
    if (kind === 'refused') {
      return forbidden(
        `Pages of the origin ${quoted(origin)} may not use this gateway. If you trust that page or app, start the gateway with --allow-origin ${plain(origin)}.`,
      );
    }
    return kind === 'own'
      ? { kind: 'admitted', origin: null, headers: {} }
      : { kind: 'admitted', origin, headers: corsHeaders(origin) };
  }
  // Browsers send no Origin with images and scripts, but say that another site asks.
  const site = headers['sec-fetch-site'];
  const isForeign = site === 'cross-site' || site === 'same-site';
  const opensPage = isPage && headers['sec-fetch-mode'] === 'navigate';
  if (isForeign && !opensPage && !allowOrigins.includes('*')) {
    return forbidden(
      'A page of another site sent this request without its origin. Open the page of the gateway itself.',
    );
  }
  return { kind: 'admitted', origin: null, headers: {} };
}

/** The host that was allowed last on a connection. The requests of a connection name the same host, as a rule. */
const allowedOn = new WeakMap<Socket, string>();

function mayName(
  host: string,
  socket: Socket,
  encrypted: boolean,
  allowHosts: readonly string[],
): boolean {
  if (allowedOn.get(socket) === host) return true;
  const reached = { address: socket.localAddress ?? '', port: socket.localPort ?? 0, encrypted };
  const isAllowed = isAllowedHost(host, reached, allowHosts);
  if (isAllowed) allowedOn.set(socket, host);
  return isAllowed;
}

function countOf({ rawHeaders }: IncomingMessage, name: string): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const text = rawHeaders[at];
    if (text?.length === name.length && text.toLowerCase() === name) count += 1;
  }
  return count;
}

/** Text of a client for a message: as JSON, and not too long. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, QUOTED_MAX));
}

/** Text of a client for a command line: without what a shell reads as more than text. */
function plain(text: string): string {
  return /^[\w.:/[\]-]{1,100}$/.test(text)
    ? text
    : `'${text.slice(0, QUOTED_MAX).replace(/[^\w.:/[\]-]/g, '?')}'`;
}

function invalid(message: string): SiteVerdict {
  return { kind: 'refused', failure: createFailure('invalid_request', 400, message) };
}

function forbidden(message: string): SiteVerdict {
  return { kind: 'refused', failure: createFailure('forbidden', 403, message) };
}

/** Whether a request came over TLS. */
export function isEncrypted({ socket }: IncomingMessage): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}
