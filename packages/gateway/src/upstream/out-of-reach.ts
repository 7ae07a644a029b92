/** Code of the error that ends a request to another host from which nothing arrives any more. */
export const PEER_SILENT = 'PEER_SILENT';

/** Codes of errors after which packets are known not to arrive, or not to come back. */
const OUT_OF_REACH: readonly unknown[] = [
  PEER_SILENT,
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
];

/**
 * Whether an error tells that the way to another machine is cut. A refused or reset connection tells the opposite: the machine
 * has answered.
 */
export function isOutOfReach(error: Error): boolean {
  return 'code' in error && OUT_OF_REACH.includes(error.code);
}
