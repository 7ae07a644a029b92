import { availableParallelism } from 'node:os';
import { nvidiaGpus } from './gpu/nvidia.js';
import { runInventory } from './inventory/run-inventory.js';
import { liveMonitor } from './monitor/live-monitor.js';
import type { ResourceMonitor } from './monitor/resource-monitor.js';
import type { PlatformPorts } from './platform-readers.js';
import { createPlatformReaders } from './platform-readers.js';

/** Everything that a live monitor touches. */
export interface MonitorPorts extends Omit<PlatformPorts, 'runInventory'> {
  /** Null: beside the bundle. */
  readonly inventoryScript: string | null;
}

/** Joins the readers of a platform with those of any, and puts a monitor on top. */
export function assembleMonitor(ports: MonitorPorts): ResourceMonitor {
  const { platform, clock, executor, gpuPatienceMs, inventoryScript } = ports;
  const inventory = (signal: AbortSignal) => runInventory(executor, inventoryScript, signal);
  const readers = createPlatformReaders({ ...ports, runInventory: inventory });
  const nvidia = nvidiaGpus({ executor, clock, platform, patienceMs: gpuPatienceMs });
  return liveMonitor({
    clock,
    readers,
    gpuReaders: [nvidia, ...readers.gpus],
    cores: availableParallelism,
    runInventory: inventory,
  });
}
