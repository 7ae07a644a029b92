import type { Clock } from '../ports/clock.js';
import type { Executor } from '../ports/executor.js';
import { findEngines } from '../reading/engine-names.js';
import type { PlatformReaders, ProcessReadings } from '../reading/figures.js';
import { oncePerSample } from '../reading/reader.js';
import type { Reading, SampleContext } from '../reading/reader.js';
import type { PowerSnapshot } from '../snapshot.js';
import { describeAccelerators } from './apple-gpus.js';
import { IOREG_ARGUMENTS, parseAccelerators } from './ioreg.js';
import { parsePs, PS_ARGUMENTS } from './ps.js';
import { parseSysctl, SYSCTL_NAMES } from './sysctl.js';
import { parseVmStat } from './vm-stat.js';

/** Deadline of each program. All of them usually answer within milliseconds. */
const TIMEOUT_MS = 2000;
const REREAD_PROCESSES_AFTER_MS = 5000;
const REREAD_POWER_AFTER_MS = 60_000;

/** Readers that run programs of macOS. The programs come with the system and need no special rights. */
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
    // The exit code is ignored, because sysctl fails if one name is unknown, but prints the other values.
    if (result.outcome === 'exited') return result.stdout;
    const why =
      result.outcome === 'timed-out' ? `no answer within ${TIMEOUT_MS} ms` : result.stderr;
    throw new Error(why === '' ? result.outcome : why);
  };
  const vmStat = oncePerSample(async () => {
    const parsed = parseVmStat(await run('/usr/bin/vm_stat', []), totalBytes);
    if (parsed === null) throw new Error('output in an unknown format');
    return parsed;
  });
  const sysctl = oncePerSample(async () =>
    parseSysctl(await run('/usr/sbin/sysctl', SYSCTL_NAMES)),
  );
  let known: readonly number[] = [];
  const engines = cached(clock, REREAD_PROCESSES_AFTER_MS, async (): Promise<ProcessReadings> => {
    const table = parsePs(await run('/bin/ps', PS_ARGUMENTS));
    const found = findEngines(table, known);
    return {
      atMs: clock.monotonicMs(),
      processes: table
        .filter(({ processId }) => found.has(processId))
        .map((entry) => ({ ...entry, startedAt: entry.program ?? '' })),
    };
  });
  const power = cached(clock, REREAD_POWER_AFTER_MS, async () =>
    parsePmset(await run('/usr/bin/pmset', ['-g', 'batt'])),
  );

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
              // Mapped pages are file-backed, and `usedBytes` does not include file-backed pages.
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
            ? { reason: 'output in an unknown format' }
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
            ? { reason: 'unknown pressure level' }
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
          if (!continuing) return { reason: 'a CPU share needs two samples' };
          return { value: await engines() };
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
          const answer = await power();
          return answer === null ? { reason: 'output in an unknown format' } : { value: answer };
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

/** Calls `read` again only if the last answer is older than `forMs`. */
function cached<T>(clock: Clock, forMs: number, read: () => Promise<T>): () => Promise<T> {
  let last: { readonly atMs: number; readonly value: T } | null = null;
  return async () => {
    if (last !== null && clock.monotonicMs() - last.atMs < forMs) return last.value;
    const value = await read();
    last = { atMs: clock.monotonicMs(), value };
    return value;
  };
}

/** Reads `pmset -g batt`; null for output in another format. */
function parsePmset(text: string): PowerSnapshot | null {
  const drawing = /Now drawing from '([^']+)'/.exec(text)?.[1];
  if (drawing === undefined) return null;
  const percent = /(\d+)%/.exec(text)?.[1];
  return {
    onBattery: drawing === 'Battery Power',
    chargeRatio: percent === undefined ? null : Number(percent) / 100,
  };
}
