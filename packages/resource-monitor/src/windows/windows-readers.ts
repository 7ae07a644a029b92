import type { NodeMemory } from '../any-platform/node-readers.js';
import { nodeRam } from '../any-platform/node-readers.js';
import type { Clock } from '../ports/clock.js';
import type { Executor } from '../ports/executor.js';
import { findEngines } from '../reading/engine-names.js';
import type { PlatformReaders, ProcessReadings } from '../reading/figures.js';
import { oncePerSample } from '../reading/reader.js';
import type { Reader, Reading, SampleContext } from '../reading/reader.js';
import type { PowerSnapshot } from '../snapshot.js';
import type { WindowsAnswer } from './powershell.js';
import { createPowerShell } from './powershell.js';
import { describeAdapters } from './windows-gpus.js';

/** Win32_Battery.BatteryStatus: the battery is discharging. */
const DISCHARGING = 1;

/** Reads memory and CPU through Node, which calls Windows directly, and everything else through PowerShell. */
export function windowsReaders(options: {
  readonly executor: Executor;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly nodeMemory: () => NodeMemory;
  readonly firstAnswerMs: number;
}): PlatformReaders {
  const shell = createPowerShell(options);
  const ask = oncePerSample((context) => shell.read(context));
  let known: readonly number[] = [];

  /** Reads one part of the script's answer. */
  const part = <T>(
    source: string,
    pick: (answer: WindowsAnswer, context: SampleContext) => Reading<T>,
  ): Reader<T> => ({
    source,
    read: async (context) => {
      const answer = await ask(context);
      return 'reason' in answer ? answer : pick(answer, context);
    },
  });

  return {
    // Node calls GlobalMemoryStatusEx. Its free memory is ullAvailPhys, which excludes mapped pages.
    ram: [nodeRam(options.nodeMemory, 'GlobalMemoryStatusEx', true)],
    ramIsCheap: true,
    swap: [
      part('Win32_PageFileUsage', ({ sample: { pageFile } }) =>
        pageFile === null ? { reason: 'no figures' } : { value: pageFile },
      ),
    ],
    swapCounters: [
      {
        source: 'Win32_PerfRawData_PerfOS_Memory',
        read: () => ({ reason: 'the paging counters also count ordinary file reads' }),
      },
    ],
    pressure: [
      part('Win32_PerfRawData_PerfOS_Memory', ({ sample: { commit } }) => {
        if (commit === null) return { reason: 'no commit charge' };
        return commit.usedBytes > commit.limitBytes
          ? { reason: 'reports a commit charge above its limit' }
          : { value: { stall: null, level: null, commit } };
      }),
    ],
    cpu: [],
    loadAverages: [],
    engines: [
      part('Win32_Process', ({ sample, atMs }, { continuing }): Reading<ProcessReadings> => {
        if (!continuing) return { reason: 'a CPU share needs two samples' };
        if (sample.processes === null) return { reason: 'not queried yet' };
        const table = sample.processes.map((entry) => ({ ...entry, program: null }));
        const engines = findEngines(table, known);
        const own = sample.processes.filter(({ processId }) => engines.has(processId));
        return {
          value: { atMs, processes: own.map((entry) => ({ ...entry, startedAt: entry.name })) },
        };
      }),
    ],
    gpus: [
      {
        ...part('GPU Adapter Memory counters', ({ sample, atMs }) =>
          sample.adapters.length === 0
            ? { reason: 'the registry lists no DirectX adapter' }
            : { value: describeAdapters(sample, atMs) },
        ),
        stop: () => shell.stop(),
      },
    ],
    power: [
      part('Win32_Battery', ({ sample: { battery } }): Reading<PowerSnapshot> => {
        if (battery === null) return { value: { onBattery: false, chargeRatio: null } };
        const { status, chargePercent } = battery;
        return {
          value: {
            onBattery: status === DISCHARGING,
            chargeRatio: chargePercent === null ? null : chargePercent / 100,
          },
        };
      }),
    ],
    knowEngines: (processIds) => {
      known = processIds;
    },
    close: () => shell.stop(),
  };
}
