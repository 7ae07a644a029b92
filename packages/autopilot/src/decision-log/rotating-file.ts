import { appendFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../autopilot-error.js';

/** Appends lines to a file. A full file is moved aside; at most `keep` old files are kept. */
export interface RotatingFile {
  /** Resolves when the line is in the file. Lines appear in the order of the calls. */
  append(line: string): Promise<void>;
  /** Resolves when everything that was appended is in the file. */
  flushed(): Promise<void>;
}

/** `file.1` is the newest old file, `file.keep` the oldest. Only one process may write. */
export function createRotatingFile(options: {
  readonly file: string;
  readonly maxBytes: number;
  readonly keep: number;
}): RotatingFile {
  const { file, maxBytes, keep } = options;
  let sizeBytes: number | null = null;
  let last: Promise<void> = Promise.resolve();

  const write = async (line: string): Promise<void> => {
    const content = `${line}\n`;
    const bytes = Buffer.byteLength(content);
    if (sizeBytes === null) {
      await mkdir(path.dirname(file), { recursive: true });
      sizeBytes = await sizeOf(file);
    }
    if (sizeBytes > 0 && sizeBytes + bytes > maxBytes) {
      await rotate(file, keep);
      sizeBytes = 0;
    }
    await appendFile(file, content, { mode: 0o600 });
    sizeBytes += bytes;
  };

  return {
    append: (line) => {
      const written = last.then(() => write(line));
      // A failed write does not stop the writing of later lines.
      last = written.catch(() => {
        sizeBytes = null;
      });
      return written;
    },
    flushed: () => last,
  };
}

/** The files of a log that exist, oldest first. */
export async function listRotated(file: string, keep: number): Promise<string[]> {
  const names = [...Array.from({ length: keep }, (_, index) => `${file}.${keep - index}`), file];
  const sizes = await Promise.all(names.map(sizeOf));
  return names.filter((_, index) => (sizes[index] ?? 0) > 0);
}

async function rotate(file: string, keep: number): Promise<void> {
  if (keep === 0) {
    await rm(file, { force: true });
    return;
  }
  for (let number = keep - 1; number >= 0; number -= 1) {
    const from = number === 0 ? file : `${file}.${number}`;
    try {
      await rename(from, `${file}.${number + 1}`);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}
