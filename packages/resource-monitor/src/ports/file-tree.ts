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
 * The kernel's files: /proc, /sys and control groups. Paths are absolute with forward slashes. Tests pass
 * a tree in memory, so the Linux readers can be tested on every OS.
 */
export interface FileTree {
  /** A file for repeated reading. It is opened at the first read. */
  keep(path: string): KeptFile;
  /** The whole text, or null if the file does not exist or cannot be read. */
  readText(path: string): string | null;
  exists(path: string): boolean;
  /** Whether this user may open the file for reading and writing. Does not open it, which would wake a suspended card. */
  mayOpen(path: string): boolean;
  /** The names in a folder; empty if the folder does not exist. */
  list(path: string): readonly string[];
  /** The target of a symbolic link, or null. */
  readLink(path: string): string | null;
}

/**
 * A file that stays open between reads. Reading an open file takes a third of the time of opening, reading and
 * closing it.
 */
export interface KeptFile {
  /**
   * The current text, or null if it cannot be read. An error closes the file and the next read opens it again,
   * so a device that returns is found. Blocks this thread, so use it only for files that the kernel creates in
   * memory, such as /proc, which answer in microseconds.
   */
  read(): string | null;
  /** Reads the same text on another thread, for the files of drivers, which can block. */
  readLater(): Promise<string | null>;
  close(): void;
}

/** The machine's files below `root`; '' for the root folder. */
export function realFileTree(root: string): FileTree {
  return {
    keep: (path) => keepOpen(root + path),
    readText: (path) => ifThere(root + path, (file) => readFileSync(file, 'latin1')),
    exists: (path) => existsSync(root + path),
    mayOpen: (path) =>
      attempt(() => accessSync(root + path, constants.R_OK | constants.W_OK)) !== null,
    list: (path) => ifThere(root + path, (folder) => readdirSync(folder)) ?? [],
    readLink: (path) => attempt(() => readlinkSync(root + path)),
  };
}

/** Whether the file exists and is executable. */
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
    // A read on another thread still uses the descriptor. The file is closed when that read has ended.
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
        // The kernel creates the text for each read at offset 0, so one read must return all of it.
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
    // Only one read runs at a time, so that a hanging driver blocks only one thread of the pool.
    readLater: () =>
      (pending ??= readOnThread().then((text) => {
        pending = null;
        if (text === null) close();
        return text;
      })),
    close,
  };
}

/**
 * Applies `action` to a file; null if the file is missing. Most files are missing and a thrown error is slow,
 * so existence is checked first.
 */
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
