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
      closed: null,
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
    // CPU and GPU share one pool, also in a virtual machine, whose GPU works in the machine's RAM. The total is the part of the
    // pool that the GPU may use. It is the same share in a virtual machine: in one of 7 GiB, PyTorch allows 7.93 GiB, and that is
    // 1.7 times Metal's limit of two thirds (actions/runner-images #9918).
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
  if (!known && vendor === null) {
    return {
      kind: null,
      memory: 'shared',
      totalBytes: null,
      usedBytes: allocatedBytes,
      availableBytes: null,
      reasons: [
        'the driver is not known and reports no memory of its own, as that of a virtual machine, so the memory of the GPU counts as system memory',
      ],
    };
  }
  return {
    kind: 'discrete',
    memory: 'dedicated',
    totalBytes: known ? vramUsedBytes + vramFreeBytes : null,
    usedBytes: vramUsedBytes,
    availableBytes: vramFreeBytes,
    reasons: known ? [] : ['the driver adds no memory figures to the registry'],
  };
}
