import type { GpuReading } from '../reading/figures.js';
import type { Accelerator } from './ioreg.js';
import { defaultWiredLimit } from './sysctl.js';

/** Converts the accelerators of the I/O registry to GPU readings. */
export function describeAccelerators(
  accelerators: readonly Accelerator[],
  machine: { readonly totalBytes: number; readonly wiredLimitBytes: number | null },
  readAtMonotonicMs: number,
): readonly GpuReading[] {
  const seen = new Map<string, number>();
  return accelerators.map((accelerator) => {
    const { className, model, vendor, utilizationRatio } = accelerator;
    const index = seen.get(className) ?? 0;
    seen.set(className, index + 1);
    const memory = memoryOf(accelerator, machine);
    return {
      deviceKey:
        vendor === 'apple' ? 'apple' : `ioreg:${className}${index === 0 ? '' : `:${index}`}`,
      pciAddress: null,
      totalIsEstimate: vendor === 'apple' && machine.wiredLimitBytes === null,
      pciId: null,
      name: model,
      vendor,
      utilizationRatio,
      processes: null,
      readAtMonotonicMs: memory.availableBytes === null ? null : readAtMonotonicMs,
      ...memory,
    };
  });
}

type Memory = Pick<
  GpuReading,
  'kind' | 'memory' | 'totalBytes' | 'usedBytes' | 'availableBytes' | 'reasons'
>;

function memoryOf(
  { vendor, allocatedBytes, vramUsedBytes, vramFreeBytes }: Accelerator,
  { totalBytes, wiredLimitBytes }: { totalBytes: number; wiredLimitBytes: number | null },
): Memory {
  if (vendor === 'apple') {
    // CPU and GPU share one pool. The total is the part of the pool that the GPU may use.
    const limitBytes = Math.min(totalBytes, wiredLimitBytes ?? defaultWiredLimit(totalBytes));
    return {
      kind: 'unified',
      memory: 'shared',
      totalBytes: limitBytes,
      usedBytes: allocatedBytes,
      availableBytes: allocatedBytes === null ? null : Math.max(0, limitBytes - allocatedBytes),
      reasons: allocatedBytes === null ? ['the registry has no statistics for this GPU'] : [],
    };
  }
  if (vendor === 'intel') {
    return {
      kind: 'integrated',
      memory: 'shared',
      totalBytes: null,
      usedBytes: allocatedBytes,
      availableBytes: null,
      reasons: ['this GPU takes system memory as needed, and macOS reports no limit'],
    };
  }
  const known = vramUsedBytes !== null && vramFreeBytes !== null;
  return {
    kind: 'discrete',
    memory: 'dedicated',
    totalBytes: known ? vramUsedBytes + vramFreeBytes : null,
    usedBytes: vramUsedBytes,
    availableBytes: vramFreeBytes,
    reasons: known ? [] : ['the driver adds no memory figures to the registry'],
  };
}
