import type { MonitorPort } from '@mai/host';
import { withMemoryInUse, type MemoryUse, type Simulator } from '@mai/lmstudio-simulator';
import { deviceKeyOf, type PoolName } from '@mai/memory-ledger';

/** This machine's real readings, plus the memory of the simulated models and the injected bytes. */
export interface DemoMonitor extends MonitorPort {
  /** Sets the injected bytes of the demo's pool. The next call replaces them. */
  readonly inject: (bytes: number) => void;
  /** The injected bytes by pool. */
  readonly injected: () => ReadonlyMap<PoolName, number>;
}

export function createDemoMonitor(
  monitor: MonitorPort,
  simulator: Simulator,
  pool: PoolName,
): DemoMonitor {
  let injectedBytes = 0;
  const read: MonitorPort['snapshot'] = async (options) =>
    withMemoryInUse(
      await monitor.snapshot(options),
      withInjected(simulator.memoryInUse(), deviceKeyOf(pool), injectedBytes),
    );
  return {
    snapshot: read,
    // Simulated memory changes at once, so every reading is settled.
    readRam: null,
    settled: read,
    inject: (bytes) => {
      injectedBytes = bytes;
    },
    injected: () => new Map([[pool, injectedBytes]]),
  };
}

/** Adds the injected bytes to the memory that the simulated models take. */
function withInjected(
  { ram, gpus }: MemoryUse,
  deviceKey: string | null,
  bytes: number,
): MemoryUse {
  if (deviceKey === null) {
    return { ram: { ...ram, anonymousBytes: ram.anonymousBytes + bytes }, gpus };
  }
  const others = gpus.filter((gpu) => gpu.deviceKey !== deviceKey);
  const onGpu = gpus.find((gpu) => gpu.deviceKey === deviceKey)?.bytes ?? 0;
  return { ram, gpus: [...others, { deviceKey, bytes: onGpu + bytes }] };
}
