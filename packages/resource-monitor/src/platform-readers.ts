import { darwinReaders } from './darwin/darwin-readers.js';
import type { InventoryOutcome } from './inventory/run-inventory.js';
import { linuxReaders } from './linux/linux-readers.js';
import type { NodeMemory } from './any-platform/node-readers.js';
import { nodeCpu, nodeLoadAverages, nodeRam } from './any-platform/node-readers.js';
import { systeminformationReaders } from './any-platform/systeminformation-readers.js';
import type { Clock } from './ports/clock.js';
import type { Executor } from './ports/executor.js';
import type { FileTree } from './ports/file-tree.js';
import type { PlatformReaders } from './reading/figures.js';
import { plausibleRam, plausibleSwap } from './reading/plausible-memory.js';
import { windowsReaders } from './windows/windows-readers.js';

/** The dependencies of a platform's readers. */
export interface PlatformPorts {
  readonly platform: NodeJS.Platform;
  readonly files: FileTree;
  readonly clock: Clock;
  readonly executor: Executor;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long a snapshot waits for the first answer of a GPU program. */
  readonly gpuFirstAnswerMs: number;
  /** Memory as Node reports it. */
  readonly nodeMemory: () => NodeMemory;
  readonly runInventory: (signal: AbortSignal) => Promise<InventoryOutcome>;
}

/** The readers of a platform, followed by Node's own, which work on any platform. */
export function createPlatformReaders(ports: PlatformPorts): PlatformReaders {
  const own = ownReaders(ports);
  return {
    ram: [...(own.ram ?? []), nodeRam(ports.nodeMemory)].map(plausibleRam),
    ramIsCheap: own.ramIsCheap ?? true,
    swap: (own.swap ?? []).map(plausibleSwap),
    swapCounters: own.swapCounters ?? [],
    pressure: own.pressure ?? [],
    cpu: [...(own.cpu ?? []), nodeCpu()],
    loadAverages: [...(own.loadAverages ?? []), nodeLoadAverages(ports.platform)],
    engines: own.engines ?? [],
    gpus: own.gpus ?? [],
    power: own.power ?? [],
    knowEngines: (processIds) => own.knowEngines?.(processIds),
    close: () => own.close?.() ?? Promise.resolve(),
  };
}

function ownReaders(ports: PlatformPorts): Partial<PlatformReaders> {
  const { platform, files, clock, executor, env, gpuFirstAnswerMs, nodeMemory } = ports;
  switch (platform) {
    case 'linux':
      return linuxReaders(files, clock, nodeMemory);
    case 'darwin':
      return darwinReaders(executor, clock, nodeMemory().totalBytes);
    case 'win32':
      return windowsReaders({ executor, clock, env, nodeMemory, firstAnswerMs: gpuFirstAnswerMs });
    default:
      return systeminformationReaders(ports.runInventory, clock);
  }
}
