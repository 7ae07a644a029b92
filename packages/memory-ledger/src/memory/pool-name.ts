import type { GpuResources, Resources } from './resources.js';

/** A body of memory: system RAM, a GPU's own memory, or the system RAM that a GPU may take. */
export type PoolName = 'ram' | `gpu:${string}` | `gpu-share:${string}`;

/** Whether a GPU has memory of its own. On a unified machine every GPU takes its memory from RAM. */
export function hasOwnMemory(
  { memory }: Pick<GpuResources, 'memory'>,
  { unified }: Pick<Resources, 'unified'>,
): boolean {
  return !unified && memory === 'dedicated';
}

/** The pool of a GPU: its own memory, or its cap on RAM. */
export function poolOfGpu(
  gpu: Pick<GpuResources, 'deviceKey' | 'memory'>,
  machine: Pick<Resources, 'unified'>,
): PoolName {
  const { deviceKey } = gpu;
  return hasOwnMemory(gpu, machine) ? `gpu:${deviceKey}` : `gpu-share:${deviceKey}`;
}

/** The pools whose use is not known: RAM or a GPU's own memory without a known size or known free memory. */
export function unmeasuredPools(resources: Resources): readonly PoolName[] {
  const { ram, gpus } = resources;
  return [
    ...(ram.availableBytes === null ? (['ram'] as const) : []),
    ...gpus
      .filter((gpu) => hasOwnMemory(gpu, resources))
      .filter(({ totalBytes, availableBytes }) => totalBytes === null || availableBytes === null)
      .map((gpu) => poolOfGpu(gpu, resources)),
  ];
}

/** The device key of a GPU's pool; `null` for RAM. */
export function deviceKeyOf(pool: PoolName): string | null {
  return pool === 'ram' ? null : pool.slice(pool.indexOf(':') + 1);
}

/** Whether a pool is the cap on the RAM that a GPU takes. Bytes in this pool are counted in RAM too. */
export function isGpuShare(pool: PoolName): pool is `gpu-share:${string}` {
  return pool.startsWith('gpu-share:');
}
