import { linuxReaders } from './linux/linux-readers.js';
import { nodeCpu, nodeLoadAverages, nodeRam } from './other/node-readers.js';
import type { Clock } from './ports/clock.js';
import type { Executor } from './ports/executor.js';
import type { FileTree } from './ports/file-tree.js';
import type { PlatformReaders } from './reading/figures.js';

/** What the readers of a platform are made from. */
export interface PlatformPorts {
  readonly platform: NodeJS.Platform;
  readonly files: FileTree;
  readonly clock: Clock;
  readonly executor: Executor;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The readers of a platform, and behind them what Node itself tells of any machine. */
export function createPlatformReaders(ports: PlatformPorts): PlatformReaders {
  const { platform, files, clock } = ports;
  const own = platform === 'linux' ? linuxReaders(files, clock) : null;
  return {
    ram: [...(own?.ram ?? []), nodeRam()],
    swap: own?.swap ?? [],
    swapCounters: own?.swapCounters ?? [],
    pressure: own?.pressure ?? [],
    cpu: [...(own?.cpu ?? []), nodeCpu()],
    loadAverages: [...(own?.loadAverages ?? []), nodeLoadAverages(platform)],
    engines: own?.engines ?? [],
    gpus: own?.gpus ?? [],
    power: own?.power ?? [],
    knowEngines: (processIds) => own?.knowEngines(processIds),
    close: () => own?.close() ?? Promise.resolve(),
  };
}
