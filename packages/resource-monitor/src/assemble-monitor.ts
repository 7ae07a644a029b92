import { availableParallelism } from 'node:os';
import { nvidiaGpus } from './gpu/nvidia.js';
import { runInventory } from './inventory/run-inventory.js';
import { nvidiaSleep } from './linux/gpus/nvidia-driver.js';
import { liveMonitor } from './monitor/live-monitor.js';
import type { ResourceMonitor } from './monitor/resource-monitor.js';
import type { PlatformPorts } from './platform-readers.js';
import { createPlatformReaders } from './platform-readers.js';

/** The dependencies of a live monitor. Tests replace them. */
export interface MonitorPorts extends Omit<PlatformPorts, 'runInventory'> {
  /** Path of the inventory's script; null: the script beside this package's bundle. */
  readonly inventoryScript: string | null;
}

/** Creates a monitor from the readers of a platform and the reader of NVIDIA's GPUs. */
export function assembleMonitor(ports: MonitorPorts): ResourceMonitor {
  const { platform, files, clock, executor, gpuFirstAnswerMs, inventoryScript } = ports;
  const inventory = (signal: AbortSignal) => runInventory(executor, inventoryScript, signal);
  const readers = createPlatformReaders({ ...ports, runInventory: inventory });
  const isAsleep = platform === 'linux' ? nvidiaSleep(files, clock) : () => false;
  const nvidia = nvidiaGpus({
    executor,
    clock,
    platform,
    isAsleep,
    firstAnswerMs: gpuFirstAnswerMs,
  });
  return liveMonitor({
    clock,
    readers,
    gpuReaders: [nvidia, ...readers.gpus],
    cores: availableParallelism,
    runInventory: inventory,
    inventoryWakesGpus: isAsleep,
  });
}
