import { checkRange } from '@mai/memory-ledger';
import { assembleMonitor } from './assemble-monitor.js';
import type { ResourceMonitor } from './monitor/resource-monitor.js';
import { readNodeMemory } from './any-platform/node-readers.js';
import { childProcesses } from './ports/child-processes.js';
import type { Clock } from './ports/clock.js';
import { systemClock } from './ports/clock.js';
import { realFileTree } from './ports/file-tree.js';

/** Options of a monitor. Each option has a default. */
export interface ResourceMonitorOptions {
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** The platform whose readers are used. Default: `process.platform`. */
  readonly platform?: NodeJS.Platform;
  /** A folder that replaces `/` on Linux. Default: ''. */
  readonly root?: string;
  /** The environment in which programs are found and run. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * How long a snapshot waits for the first answer of a GPU program, in milliseconds, at least 0. Default: 2500.
   */
  readonly gpuFirstAnswerMs?: number;
  /** The path of `inventory-child.js`. Default: beside this package's bundle. */
  readonly inventoryScript?: string;
}

/**
 * Creates a monitor of this machine. Nothing is read or started before the first call. Dispose of the monitor
 * to end its child processes. Only two of them keep this process alive while they run: the inventory, which
 * runs if a GPU has no name (20 s at most), and the list of processes that hold VRAM (5 s at most).
 *
 * @throws RangeError if `gpuFirstAnswerMs` is NaN or negative.
 */
export function createResourceMonitor(options: ResourceMonitorOptions = {}): ResourceMonitor {
  const {
    clock = systemClock,
    platform = process.platform,
    root = '',
    env = process.env,
    gpuFirstAnswerMs = 2500,
  } = options;
  checkRange('gpuFirstAnswerMs', gpuFirstAnswerMs, 0, Infinity);
  const executor = childProcesses(clock, platform, env);
  const inventoryScript = options.inventoryScript ?? null;
  const files = realFileTree(root);
  return assembleMonitor({
    platform,
    files,
    clock,
    executor,
    env,
    gpuFirstAnswerMs,
    inventoryScript,
    nodeMemory: readNodeMemory,
  });
}
