import type { GpuResources } from './resources.js';

/** A body of memory: system RAM, a GPU's own memory, or the system RAM that a GPU may take. */
export type PoolName = 'ram' | `gpu:${string}` | `gpu-share:${string}`;

/** The pool of a GPU: its own memory, or its cap on RAM. On a unified machine every GPU shares RAM. */
export function poolOfGpu(
  { deviceKey, memory }: Pick<GpuResources, 'deviceKey' | 'memory'>,
  unified: boolean,
): PoolName {
  return unified || memory === 'shared' ? `gpu-share:${deviceKey}` : `gpu:${deviceKey}`;
}

/** The device key of a GPU's pool; `null` for RAM. */
export function deviceKeyOf(pool: PoolName): string | null {
  return pool === 'ram' ? null : pool.slice(pool.indexOf(':') + 1);
}

/** Whether a pool is the cap on the RAM that a GPU takes. Bytes in this pool are counted in RAM too. */
export function isGpuShare(pool: PoolName): pool is `gpu-share:${string}` {
  return pool.startsWith('gpu-share:');
}
