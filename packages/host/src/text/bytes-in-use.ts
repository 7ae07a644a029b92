import type { PoolOutcome } from '@mai/selector';

/**
 * The bytes of a pool that are in use now. The footprints of residents are estimates, and their mapped weights need not be in memory,
 * so their sum may exceed the pool. The use cannot.
 */
export function bytesInUse({
  useBeforeBytes,
  totalBytes,
}: Pick<PoolOutcome, 'useBeforeBytes' | 'totalBytes'>): number {
  return Math.min(useBeforeBytes, totalBytes);
}
