import { deviceKeyOf, isGpuShare, type PoolName, type Resources } from '@mai/memory-ledger';
import type { PoolOutcome } from '@mai/selector';

/** The name of a pool: `RAM`, `Memory` where CPU and GPU share it, `VRAM`, `VRAM 2` for a second GPU. */
export function poolLabel(pool: PoolName, resources: Resources): string {
  if (pool === 'ram') return resources.unified ? 'Memory' : 'RAM';
  const deviceKey = deviceKeyOf(pool);
  const kind = isGpuShare(pool) ? 'shared' : 'dedicated';
  const peers = resources.gpus.filter(({ memory }) => memory === kind);
  const index = peers.findIndex((gpu) => gpu.deviceKey === deviceKey);
  const label = kind === 'shared' ? 'GPU cap' : 'VRAM';
  return peers.length > 1 ? `${label} ${index + 1}` : label;
}

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
