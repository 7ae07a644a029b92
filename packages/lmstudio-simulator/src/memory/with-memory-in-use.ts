import type { Resources } from '@mai/memory-ledger';
import type { MemoryUse } from './memory.js';

/** Subtracts the memory of simulated models (`use`) from the available memory in a reading of a machine. */
export function withMemoryInUse(resources: Resources, use: MemoryUse): Resources {
  const less = (available: number | null, bytes: number) =>
    available === null ? null : Math.max(0, available - bytes);
  return {
    ...resources,
    ram: {
      ...resources.ram,
      // `use.ram` includes the bytes of GPUs with shared memory.
      availableBytes: less(
        resources.ram.availableBytes,
        use.ram.mappedBytes + use.ram.anonymousBytes,
      ),
      // Mapped weights were subtracted, too, so they count as used.
      mappedCountsAsUsed: true,
    },
    gpus: resources.gpus.map((gpu) => {
      const bytes = use.gpus.find(({ deviceKey }) => deviceKey === gpu.deviceKey)?.bytes ?? 0;
      return { ...gpu, availableBytes: less(gpu.availableBytes, bytes) };
    }),
  };
}
