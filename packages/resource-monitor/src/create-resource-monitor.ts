import { assembleMonitor } from './assemble-monitor.js';
import type { ResourceMonitor } from './monitor/resource-monitor.js';
import { readNodeMemory } from './other/node-readers.js';
import { childProcesses } from './ports/child-processes.js';
import type { Clock } from './ports/clock.js';
import { systemClock } from './ports/clock.js';
import type { Executor } from './ports/executor.js';
import { realFileTree } from './ports/file-tree.js';

/** What a monitor reads and by which clock; everything has a default. */
export interface ResourceMonitorOptions {
  /** The system's own unless given. */
  readonly clock?: Clock;
  /** Whose readers to use; `process.platform` unless given. */
  readonly platform?: NodeJS.Platform;
  /** A folder that stands in for `/` on Linux; '' unless given. */
  readonly root?: string;
  /** Runs the tools that readers need; children of this process unless given. */
  readonly executor?: Executor;
  /** The environment that tools are looked up and run in; `process.env` unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long a snapshot waits for the first answer of a GPU tool, in milliseconds; 2500 unless given. */
  readonly gpuPatienceMs?: number;
  /** The script `inventory-child.js` where it does not lie beside this package's bundle. */
  readonly inventoryScript?: string;
}

/**
 * Creates a monitor of this machine. Nothing is read or started before the first call; dispose of it
 * to end what runs beside it. It does not keep the process alive, but for programs that answer once: the
 * inventory, where a GPU has no name (20 s at most), and who holds VRAM (5 s).
 */
export function createResourceMonitor(options: ResourceMonitorOptions = {}): ResourceMonitor {
  const {
    clock = systemClock,
    platform = process.platform,
    root = '',
    env = process.env,
    gpuPatienceMs = 2500,
  } = options;
  const executor = options.executor ?? childProcesses(clock, platform, env);
  const inventoryScript = options.inventoryScript ?? null;
  const files = realFileTree(root);
  return assembleMonitor({
    platform,
    files,
    clock,
    executor,
    env,
    gpuPatienceMs,
    inventoryScript,
    nodeMemory: readNodeMemory,
  });
}
