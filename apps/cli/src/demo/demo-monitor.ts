import type { Resources } from '@mai/memory-ledger';
import type { MonitorPort } from '@mai/host';
import type { Simulator } from '@mai/lmstudio-simulator';
import type { DemoPool } from './demo-world.js';

/** This machine's real readings, with the simulated models and the injected pressure added. */
export interface DemoMonitor extends MonitorPort {
  /** Sets the injected bytes in the story's pool; the next call replaces them. */
  readonly inject: (bytes: number) => void;
  /** Injected bytes by pool name, as in selections. */
  readonly injected: () => ReadonlyMap<string, number>;
}

export function createDemoMonitor(
  monitor: MonitorPort,
  simulator: Simulator,
  { deviceKey }: DemoPool,
): DemoMonitor {
  let injectedBytes = 0;
  const read: MonitorPort['snapshot'] = async (options) =>
    withSimulated(await monitor.snapshot(options), simulator, deviceKey, injectedBytes);
  return {
    snapshot: read,
    // Simulated memory changes at once, so there is no settling to wait for.
    readRam: null,
    settled: read,
    inject: (bytes) => {
      injectedBytes = bytes;
    },
    injected: () => new Map([[deviceKey === null ? 'ram' : `gpu:${deviceKey}`, injectedBytes]]),
  };
}

function withSimulated(
  real: Resources,
  simulator: Simulator,
  deviceKey: string | null,
  injectedBytes: number,
): Resources {
  const use = simulator.memoryInUse();
  const less = (available: number | null, bytes: number) =>
    available === null ? null : Math.max(0, available - bytes);
  // Includes the share of a GPU that uses system memory.
  const inRam =
    use.ram.mappedBytes + use.ram.anonymousBytes + (deviceKey === null ? injectedBytes : 0);
  return {
    ...real,
    ram: {
      ...real.ram,
      availableBytes: less(real.ram.availableBytes, inRam),
      // The full bytes were subtracted from the available memory, so the mapped ones, too.
      mappedCountsAsUsed: true,
    },
    gpus: real.gpus.map((gpu) => {
      const onGpu = use.gpus.find((one) => one.deviceKey === gpu.deviceKey)?.bytes ?? 0;
      const extra = gpu.deviceKey === deviceKey ? injectedBytes : 0;
      return { ...gpu, availableBytes: less(gpu.availableBytes, onGpu + extra) };
    }),
  };
}
