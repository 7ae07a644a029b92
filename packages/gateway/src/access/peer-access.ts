import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Failure } from '../protocols/protocol.js';
import type { Access, Admission } from './create-access.js';
import type { Scope } from './keys/scope.js';
import { createFailure } from '../protocols/create-failure.js';

/** The hosts whose gateways may use this one, and the leases that they hold. */
export interface PeerRules {
  /**
   * Name of the host with this client certificate; null where the host is not admitted. Asked at each request, so that a
   * removed host is refused at once.
   *
   * @param fingerprint - SHA-256 of the certificate: 64 hexadecimal digits in lower case
   */
  hostOf(fingerprint: string): string | null;
  /**
   * Instance identifier of the resident that the lease of a host is for; null where the lease is not in force. A request gets this resident or a
   * refusal, so a host cannot use its lease on one model to have another one loaded.
   */
  residentOf(lease: string, host: string): string | null;
  /**
   * Fires when a lease ends, and with it the requests that run on it: their host has given up, or is not heard any more. Null where
   * the lease is not in force. Default: the requests end by themselves.
   */
  endOf?(lease: string): AbortSignal | null;
  /**
   * Called when a request begins on a lease. Returns the function to call when the request has ended. So a host can end leases that
   * nobody uses. Default: nobody is informed.
   */
  began?(lease: string): () => void;
}

/** Header in which the gateway of another host presents its lease. */
const LEASE_HEADER = 'x-mai-lease';

/** Name of the host at the other end of a connection; null where it presented no listed certificate, or has gone. */
export function hostOfSocket(socket: unknown, peers: PeerRules): string | null {
  const fingerprint = fingerprintOf(socket);
  return fingerprint === null ? null : peers.hostOf(fingerprint);
}

/** SHA-256 of the client's certificate in lower-case hexadecimal digits; null where the client presented none, or has gone. */
function fingerprintOf(socket: unknown): string | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
  const certificate = socket.getPeerX509Certificate();
  return certificate?.fingerprint256.replaceAll(':', '').toLowerCase() ?? null;
}

/**
 * Admits requests for inference of other hosts: those with a listed certificate, and with a lease that is in force. Keys,
 * sessions, browsers and the control API have no meaning here.
 */
export function createPeerAccess(peers: PeerRules): Pick<Access, 'check' | 'preflight'> {
  return {
    check: (request, scope) => admissionOf(request, scope, peers),
    preflight: () => null,
  };
}

function admissionOf(request: IncomingMessage, scope: Scope | null, peers: PeerRules): Admission {
  const host = hostOfSocket(request.socket, peers);
  if (host === null) {
    return refused(
      'unauthorized',
      401,
      'This address is for the hosts of a fleet, and the certificate of the caller is not among theirs.',
    );
  }
  if (scope !== 'inference' || request.method !== 'POST') {
    return refused('forbidden', 403, 'The other hosts of a fleet may only ask for inference.');
  }
  const lease = leaseIn(request);
  const resident = lease === null ? null : peers.residentOf(lease, host);
  if (resident === null) {
    return refused(
      'lease_not_honoured',
      409,
      'This host does not honour the lease of the request: it has ended, or the host was started again. Ask for a new lease.',
    );
  }
  return {
    kind: 'admitted',
    client: { name: `host ${host}`, priority: 0, onlyResident: resident },
    scopes: ['inference'],
    headers: {},
  };
}

/** Tells that an admitted request runs on its lease, and closes the connection once the lease ends. */
export function runOnLease(
  request: IncomingMessage,
  response: ServerResponse,
  peers: PeerRules,
): void {
  const lease = leaseIn(request);
  if (lease === null) return;
  const ended = peers.began?.(lease);
  // If the client has already gone, no `close` event follows.
  if (response.destroyed) ended?.();
  else if (ended !== undefined) response.once('close', ended);
  const ends = peers.endOf?.(lease) ?? null;
  if (ends === null) return;
  const end = (): void => void response.destroy();
  ends.addEventListener('abort', end, { once: true });
  response.once('close', () => ends.removeEventListener('abort', end));
}

function leaseIn({ headers }: IncomingMessage): string | null {
  const lease = headers[LEASE_HEADER];
  return typeof lease === 'string' && lease !== '' ? lease : null;
}

function refused(code: Failure['code'], status: number, message: string): Admission {
  return {
    kind: 'refused',
    failure: createFailure(code, status, message),
    headers: {},
  };
}
