import type { FakeCommand } from '../fake-executor.js';

/** The recorded files and program outputs of a machine. */
export interface Machine {
  readonly name: string;
  /** The origin of each part: a capture, or the public page on which it was posted. */
  readonly sources: readonly string[];
  /** True if parts are invented. Such a machine does not count as a real machine. */
  readonly synthetic: boolean;
  readonly platform: NodeJS.Platform;
  readonly files?: Readonly<Record<string, string>>;
  readonly commands?: readonly FakeCommand[];
  /** The answers of Node's os module. */
  readonly memory?: { readonly totalBytes: number; readonly freeBytes: number };
}

/** /proc/meminfo with the given lines in kB. */
export function memInfo(kilobytes: Readonly<Record<string, number>>): string {
  const lines = Object.entries(kilobytes).map(([key, value]) => `${key}: ${value} kB`);
  return `${lines.join('\n')}\n`;
}

/** /proc/spl/kstat/zfs/arcstats with the given counters. */
export function arcStatistics(counters: Readonly<Record<string, number>>): string {
  const lines = Object.entries(counters).map(([name, value]) => `${name.padEnd(31)} 4    ${value}`);
  return `9 1 0x01 147 39984 4173459231 86400000000000\nname                            type data\n${lines.join('\n')}\n`;
}

/** The files of one card in sysfs, each with its newline. */
export function sysfsCard(
  card: string,
  files: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [
      `/sys/class/drm/${card}/device/${name}`,
      `${text}\n`,
    ]),
  );
}
