import type { Footprint, PoolChange } from '../api/api.generated.js';

/**
 * The bytes that a footprint takes of a pool. Memory of a GPU that has no pool of its own, as with unified memory, is
 * charged to RAM.
 */
export function chargeOf(
  { mappedBytes, anonymousBytes, gpus }: Footprint,
  pool: string,
  pools: readonly Pick<PoolChange, 'pool'>[],
): number {
  const [kind] = pool.split(':', 1);
  const bytesOf = (deviceKey: string) =>
    gpus.reduce((sum, gpu) => (gpu.deviceKey === deviceKey ? sum + gpu.bytes : sum), 0);
  if (kind !== 'ram') return bytesOf(pool.slice(pool.indexOf(':') + 1));
  const own = new Set(pools.map((one) => one.pool));
  const homeless = gpus.filter(({ deviceKey }) => !own.has(`gpu:${deviceKey}`));
  return homeless.reduce((sum, { bytes }) => sum + bytes, mappedBytes + anonymousBytes);
}
