import type { Clock } from '../ports/clock.js';
import type { Executor } from '../ports/executor.js';
import { findEngines } from '../reading/engine-names.js';
import type { PlatformReaders, ProcessReadings } from '../reading/figures.js';
import { oncePerSample } from '../reading/per-sample.js';
import type { Reading, SampleContext } from '../reading/reader.js';
import type { PowerSnapshot } from '../snapshot.js';
import { describeAccelerators } from './apple-gpus.js';
import { IOREG_ARGUMENTS, parseAccelerators } from './ioreg.js';
import { parsePmset } from './pmset.js';
import { parsePs, PS_ARGUMENTS } from './ps.js';
import { parseSysctl, SYSCTL_NAMES } from './sysctl.js';
import { parseVmStat } from './vm-stat.js';

/** Each answers in milliseconds; one that doesn't is stuck. */
const TIMEOUT_MS = 2000;
const REREAD_PROCESSES_AFTER_MS = 5000;
const REREAD_POWER_AFTER_MS = 60_000;

/** Everything that the small tools of macOS tell. They come with the system and need no rights. */
export function darwinReaders(
  executor: Executor,
  clock: Clock,
  totalBytes: number,
): PlatformReaders {
  const over = new AbortController();
  const run = async (program: string, args: readonly string[]): Promise<string> => {
    const result = await executor.run(program, args, {
      timeoutMs: TIMEOUT_MS,
      signal: over.signal,
    });
    // sysctl fails when it does not know one name of many; what it printed is still good.
    if (result.outcome === 'exited') return result.stdout;
    const why =
      result.outcome === 'timed-out' ? `no answer within ${TIMEOUT_MS} ms` : result.stderr;
    throw new Error(why === '' ? result.outcome : why);
  };
  const vmStat = oncePerSample(async () => {
    const parsed = parseVmStat(await run('/usr/bin/vm_stat', []), totalBytes);
    if (parsed === null) throw new Error('it printed something else');
    return parsed;
  });
  const sysctl = oncePerSample(async () =>
    parseSysctl(await run('/usr/sbin/sysctl', SYSCTL_NAMES)),
  );
  const cached = createCache(clock);
  let known: readonly number[] = [];

  return {
    ram: [
      {
        source: 'vm_stat',
        read: async (context) => {
          const { usedBytes } = await vmStat(context);
          return {
            value: {
              totalBytes,
              availableBytes: totalBytes - usedBytes,
              // Mapped pages are file-backed, and those are not in what is used.
              mappedCountsAsUsed: false,
              limitedBy: 'machine',
              machineTotalBytes: totalBytes,
            },
          };
        },
      },
    ],
    ramIsCheap: false,
    swap: [
      {
        source: 'sysctl vm.swapusage',
        read: async (context) => {
          const { swapTotalBytes, swapFreeBytes } = await sysctl(context);
          return swapTotalBytes === null || swapFreeBytes === null
            ? { reason: 'it printed something else' }
            : { value: { totalBytes: swapTotalBytes, freeBytes: swapFreeBytes } };
        },
      },
    ],
    swapCounters: [
      {
        source: 'vm_stat',
        read: async (context) => {
          const { swapInBytes, swapOutBytes } = await vmStat(context);
          return { value: { inBytes: swapInBytes, outBytes: swapOutBytes } };
        },
      },
    ],
    pressure: [
      {
        source: 'sysctl kern.memorystatus_vm_pressure_level',
        read: async (context) => {
          const { pressureLevel } = await sysctl(context);
          return pressureLevel === null
            ? { reason: 'it is none of the levels that are known' }
            : { value: { stall: null, level: pressureLevel, commit: null } };
        },
      },
    ],
    cpu: [],
    loadAverages: [],
    engines: [
      {
        source: 'ps',
        read: async ({ continuing }: SampleContext): Promise<Reading<ProcessReadings>> => {
          if (!continuing) return { reason: 'a share of the CPU takes two samples' };
          return {
            value: await cached('ps', REREAD_PROCESSES_AFTER_MS, async () => {
              const table = parsePs(await run('/bin/ps', PS_ARGUMENTS));
              const engines = findEngines(table, known);
              return {
                atMs: clock.monotonicMs(),
                processes: table
                  .filter(({ processId }) => engines.has(processId))
                  .map((entry) => ({ ...entry, startedAt: entry.program ?? '' })),
              };
            }),
          };
        },
      },
    ],
    gpus: [
      {
        source: 'ioreg',
        read: async (context) => {
          const [limits, text] = await Promise.all([
            sysctl(context).catch(() => null),
            run('/usr/sbin/ioreg', IOREG_ARGUMENTS),
          ]);
          const machine = { totalBytes, wiredLimitBytes: limits?.wiredLimitBytes ?? null };
          return {
            value: describeAccelerators(parseAccelerators(text), machine, clock.monotonicMs()),
          };
        },
      },
    ],
    power: [
      {
        source: 'pmset',
        read: async (): Promise<Reading<PowerSnapshot>> => {
          const power = await cached('pmset', REREAD_POWER_AFTER_MS, async () =>
            parsePmset(await run('/usr/bin/pmset', ['-g', 'batt'])),
          );
          return power === null ? { reason: 'it printed something else' } : { value: power };
        },
      },
    ],
    knowEngines: (processIds) => {
      known = processIds;
    },
    close: () => {
      over.abort();
      return Promise.resolve();
    },
  };
}

/** Keeps answers that change slowly. */
function createCache(clock: Clock) {
  const kept = new Map<string, { readonly atMs: number; readonly value: unknown }>();
  return async <T>(key: string, forMs: number, read: () => Promise<T>): Promise<T> => {
    const last = kept.get(key);
    if (last !== undefined && clock.monotonicMs() - last.atMs < forMs) return last.value as T;
    const value = await read();
    kept.set(key, { atMs: clock.monotonicMs(), value });
    return value;
  };
}
