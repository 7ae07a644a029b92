import type { Resources } from '@mai/memory-ledger';
import type { MonitorPort } from '@mai/autopilot';
import type { Simulator } from '@mai/lmstudio-simulator';
import type { DemoPool } from './demo-world.js';

/** This machine's real readings, with the simulated models and the injected pressure added. */
export interface DemoMonitor extends MonitorPort {
  /** Takes this much of the story's pool, until it is called again. */
  readonly inject: (bytes: number) => void;
  /** What is injected, by pool as selections name it. */
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
    // Simulated memory is there and gone at once: there is nothing to wait for.
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
  // What a GPU without memory of its own takes is in here already.
  const inRam =
    use.ram.mappedBytes + use.ram.anonymousBytes + (deviceKey === null ? injectedBytes : 0);
  return {
    ...real,
    ram: {
      ...real.ram,
      availableBytes: less(real.ram.availableBytes, inRam),
      // All of it was just taken off what is available, the mapped part included.
      mappedCountsAsUsed: true,
    },
    gpus: real.gpus.map((gpu) => {
      const onGpu = use.gpus.find((one) => one.deviceKey === gpu.deviceKey)?.bytes ?? 0;
      const extra = gpu.deviceKey === deviceKey ? injectedBytes : 0;
      return { ...gpu, availableBytes: less(gpu.availableBytes, onGpu + extra) };
    }),
  };
}
