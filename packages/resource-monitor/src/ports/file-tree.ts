import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  read,
  readFileSync,
  readSync,
  readdirSync,
  readlinkSync,
} from 'node:fs';

/**
 * The files of the kernel: /proc, cgroups and /sys. Paths are absolute with forward slashes. Tests
 * hand in a tree of their own, so every Linux reader runs on every OS.
 */
export interface FileTree {
  /** A file that is read again and again. Opened at the first read. */
  keep(path: string): KeptFile;
  /** The whole text, or null where there is no such file or it can't be read. */
  readText(path: string): string | null;
  exists(path: string): boolean;
  /** The names in a folder; empty where there is none. */
  list(path: string): readonly string[];
  /** Where a link points, or null. */
  readLink(path: string): string | null;
}

/** One file, kept open between reads: a third of the cost of opening it each time. */
export interface KeptFile {
  /**
   * The text now, or null where it can't be read; an error closes the file, and the next read opens
   * it anew, so a device that comes back is found again. Only for files that the kernel makes up in
   * memory, /proc for one: they answer in microseconds.
   */
  read(): string | null;
  /** The same on a thread, for files with a driver behind them, which may block. */
  readLater(): Promise<string | null>;
  close(): void;
}

/** The machine's own files below `root` ('' for the machine itself). */
export function realFileTree(root: string): FileTree {
  return {
    keep: (path) => keepOpen(root + path),
    readText: (path) => ifThere(root + path, (file) => readFileSync(file, 'latin1')),
    exists: (path) => existsSync(root + path),
    list: (path) => ifThere(root + path, (folder) => readdirSync(folder)) ?? [],
    readLink: (path) => attempt(() => readlinkSync(root + path)),
  };
}

/** Whether a program may be run from this path. */
export function isExecutable(path: string): boolean {
  return attempt(() => accessSync(path, constants.X_OK)) !== null;
}

const FIRST_BUFFER_BYTES = 4096;

function keepOpen(path: string): KeptFile {
  let descriptor: number | null = null;
  let buffer: Buffer | null = null;
  let pending: Promise<string | null> | null = null;

  const close = (): void => {
    const open = descriptor;
    descriptor = null;
    // A read on a thread still holds the descriptor; it closes the file when it is back.
    if (open !== null && pending === null) attempt(() => closeSync(open));
    else if (open !== null) void pending?.then(() => attempt(() => closeSync(open)));
  };
  const grow = (): Buffer => {
    buffer = Buffer.allocUnsafeSlow((buffer?.length ?? FIRST_BUFFER_BYTES / 2) * 2);
    return buffer;
  };
  const open = (): number | null => (descriptor ??= ifThere(path, (file) => openSync(file, 'r')));

  const readNow = (): string | null => {
    try {
      const file = open();
      if (file === null) return null;
      for (let target = buffer ?? grow(); ; target = grow()) {
        const length = readSync(file, target, 0, target.length, 0);
        // The kernel makes the text anew for each read from the start, so it must come in one piece.
        if (length < target.length) return target.toString('latin1', 0, length);
      }
    } catch {
      close();
      return null;
    }
  };
  const readOnThread = (): Promise<string | null> =>
    new Promise((resolve) => {
      const file = open();
      if (file === null) {
        resolve(null);
        return;
      }
      const next = (target: Buffer): void => {
        read(file, target, 0, target.length, 0, (error, length) => {
          if (error === null && length === target.length) next(grow());
          else if (error === null) resolve(target.toString('latin1', 0, length));
          else resolve(null);
        });
      };
      next(buffer ?? grow());
    });

  return {
    read: readNow,
    // One read at a time: a driver that hangs takes one thread of the pool, not all of them.
    readLater: () =>
      (pending ??= readOnThread().then((text) => {
        pending = null;
        if (text === null) close();
        return text;
      })),
    close,
  };
}

/** Most files that are looked for are missing, and an error costs far more than a look. */
function ifThere<T>(path: string, action: (path: string) => T): T | null {
  return existsSync(path) ? attempt(() => action(path)) : null;
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
