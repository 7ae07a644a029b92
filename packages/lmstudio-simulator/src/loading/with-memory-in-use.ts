import type { Resources } from '@mai/memory-ledger';
import type { MemoryUse } from './memory.js';

/** A reading of a machine as if simulated models took its memory: `use` is taken off what is available. */
export function withMemoryInUse(resources: Resources, use: MemoryUse): Resources {
  const less = (available: number | null, bytes: number) =>
    available === null ? null : Math.max(0, available - bytes);
  return {
    ...resources,
    ram: {
      ...resources.ram,
      // The bytes of GPUs with shared memory are part of it.
      availableBytes: less(
        resources.ram.availableBytes,
        use.ram.mappedBytes + use.ram.anonymousBytes,
      ),
      // Mapped weights were taken off as well.
      mappedCountsAsUsed: true,
    },
    gpus: resources.gpus.map((gpu) => {
      const bytes = use.gpus.find(({ deviceKey }) => deviceKey === gpu.deviceKey)?.bytes ?? 0;
      return { ...gpu, availableBytes: less(gpu.availableBytes, bytes) };
    }),
  };
}
