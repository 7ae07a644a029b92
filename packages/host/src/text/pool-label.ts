import { deviceKeyOf, isGpuShare, type PoolName, type Resources } from '@mai/memory-ledger';

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
