import type { FakeCommand } from '../fake-executor.js';

/** What a real machine's kernel and tools said. */
export interface Machine {
  readonly name: string;
  /** Where each part is from: captured, or the public thread that it was posted in. */
  readonly sources: readonly string[];
  /** Parts of it are made up; it does not count as a real machine. */
  readonly synthetic: boolean;
  readonly platform: NodeJS.Platform;
  readonly files?: Readonly<Record<string, string>>;
  readonly commands?: readonly FakeCommand[];
  /** What Node's os module says there. */
  readonly memory?: { readonly totalBytes: number; readonly freeBytes: number };
}

/** /proc/meminfo with the given lines in kB. */
export function memInfo(kilobytes: Readonly<Record<string, number>>): string {
  const lines = Object.entries(kilobytes).map(([key, value]) => `${key}: ${value} kB`);
  return `${lines.join('\n')}\n`;
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
