import type { FileTree, KeptFile } from '../ports/file-tree.js';
import type { ProcessEntry } from '../reading/engine-names.js';
import { findEngines, mayBeEngine } from '../reading/engine-names.js';
import type { ProcessReading, ProcessReadings } from '../reading/figures.js';
import type { Reader, Reading } from '../reading/reader.js';
import { TICKS_PER_SECOND } from './cpu-times.js';
import { readPageSize } from './swap-counters.js';

/** Interval between listings of all processes, which are expensive. Known engines are read in each sample. */
const RESCAN_AFTER_MS = 10_000;
/** Number of processes to read before other tasks of the event loop may run. */
const SCAN_SLICE = 64;
/** The process name of any program that Node 24 runs; `node-MainThread` in a few earlier releases. */
const NODE_MAIN_THREAD = /^(node-)?MainThread$/;

interface Stat {
  readonly name: string;
  readonly parentId: number;
  readonly cpuMs: number;
  readonly startedAt: string;
  readonly residentPages: number;
}

/** Reads the processes of the engines from /proc/PID/stat. */
export function linuxEngines(
  files: FileTree,
  monotonicMs: () => number,
): Reader<ProcessReadings> & {
  know(processIds: readonly number[]): void;
  close(): void;
} {
  let known: readonly number[] = [];
  let scannedAtMs: number | null = null;
  const kept = new Map<number, { readonly name: string; readonly file: KeptFile }>();
  let pageBytes: number | null = null;

  const drop = (processId: number): void => {
    kept.get(processId)?.file.close();
    kept.delete(processId);
  };
  const rescan = async (): Promise<void> => {
    const table = await readTable(files);
    const engines = findEngines(table, known);
    for (const processId of [...kept.keys()]) if (!engines.has(processId)) drop(processId);
    for (const { processId, name } of table) {
      if (!engines.has(processId) || kept.has(processId)) continue;
      kept.set(processId, { name, file: files.keep(`/proc/${processId}/stat`) });
    }
  };

  return {
    source: '/proc/PID/stat',
    async read({ continuing }): Promise<Reading<ProcessReadings>> {
      if (!continuing) return { reason: 'a CPU share needs two samples' };
      if (scannedAtMs === null || monotonicMs() - scannedAtMs >= RESCAN_AFTER_MS) {
        scannedAtMs = monotonicMs();
        await rescan();
      }
      pageBytes ??= readPageSize(files);
      const readings: ProcessReading[] = [];
      for (const [processId, { name, file }] of kept) {
        const stat = parseStat(file.read());
        if (stat === null) {
          // The process has ended. The next sample lists all processes again, because a new engine may have
          // replaced it.
          drop(processId);
          scannedAtMs = null;
          continue;
        }
        const { startedAt, cpuMs, residentPages } = stat;
        readings.push({
          processId,
          name,
          startedAt,
          cpuMs,
          residentBytes: residentPages * pageBytes,
        });
      }
      return { value: { atMs: monotonicMs(), processes: readings } };
    },
    know(processIds) {
      known = processIds;
      scannedAtMs = null;
    },
    close() {
      for (const processId of [...kept.keys()]) drop(processId);
    },
  };
}

async function readTable(files: FileTree): Promise<ProcessEntry[]> {
  const table: ProcessEntry[] = [];
  let looked = 0;
  for (const entry of files.list('/proc')) {
    const processId = Number(entry);
    if (!Number.isInteger(processId)) continue;
    const stat = parseStat(files.readText(`/proc/${entry}/stat`));
    if (stat === null) continue;
    const name = NODE_MAIN_THREAD.test(stat.name)
      ? (programNameOf(files.readText(`/proc/${entry}/cmdline`)) ?? stat.name)
      : stat.name;
    const program = mayBeEngine(name) ? files.readLink(`/proc/${entry}/exe`) : null;
    // The kernel appends this text if the program's file was replaced while the program ran.
    const path = program?.replace(/ \(deleted\)$/, '') ?? null;
    table.push({ processId, parentId: stat.parentId, name, program: path });
    looked += 1;
    if (looked % SCAN_SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return table;
}

/** The program's name from a command line, whose arguments are separated by NUL. */
function programNameOf(commandLine: string | null): string | null {
  const [program = ''] = commandLine?.split('\0') ?? [];
  return /[^/]+$/.exec(program)?.[0] ?? null;
}

/** Reads `1358 (llmster) S 1 ...`; see proc_pid_stat(5). The name can contain spaces and parentheses. */
export function parseStat(text: string | null): Stat | null {
  const open = text?.indexOf('(') ?? -1;
  const close = text?.lastIndexOf(')') ?? -1;
  if (text === null || open < 0 || close < open) return null;
  // The first element is field 3 of proc_pid_stat(5).
  const fields = text.slice(close + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    name: text.slice(open + 1, close),
    parentId: field(4),
    cpuMs: ((field(14) + field(15)) * 1000) / TICKS_PER_SECOND,
    startedAt: fields[22 - 3] ?? '',
    residentPages: field(24),
  };
}
