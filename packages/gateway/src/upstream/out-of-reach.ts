/** Code of the error that ends a request to another host from which nothing arrives any more. */
export const PEER_SILENT = 'PEER_SILENT';

/** Codes of errors after which packets are known not to arrive, or not to come back. */
const OUT_OF_REACH: readonly unknown[] = [
  PEER_SILENT,
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
];

/** Codes of a connection that this machine had no means to open. They say nothing about the other one. */
const OWN_SHORTAGE: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN'];

/**
 * Whether an error shows that the other machine's gateway cannot be reached: no connection to it opens, or nothing arrives over one.
 * A refusal of the connection counts, although a machine has answered: a firewall refuses connections in the place of the gateway,
 * and where the refusal is genuine, no gateway listens. A connection that opened and was then reset, or whose certificate was
 * refused, tells the opposite.
 */
export function isOutOfReach(error: Error): boolean {
  if (!('code' in error)) return false;
  if (OUT_OF_REACH.includes(error.code)) return true;
  // Firewalls, routes and VPNs refuse connections with further codes, such as EACCES, EPERM and ENOPROTOOPT.
  return 'syscall' in error && error.syscall === 'connect' && !OWN_SHORTAGE.includes(error.code);
}
