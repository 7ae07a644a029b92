import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { systemErrorCode } from '../../files/system-error.js';
import { ModelFileError } from '../model-file-error.js';

/** Reads bytes by range, for example of a header on a server. */
export interface ByteRangeReader {
  /** Total length in bytes; `null` where it is not known. */
  readonly sizeBytes: number | null;
  /** Returns `length` bytes from `offset` on, or fewer bytes at the end. */
  read(offset: number, length: number): Uint8Array | Promise<Uint8Array>;
}

/** An open source of bytes. The caller closes it. */
export interface OpenSource {
  /** `null` where the source is not a file. */
  readonly path: string | null;
  readonly sizeBytes: number | null;
  /** `false` for a file of which most was never written; see `GgufHeader.hasData`. */
  readonly hasData: boolean;
  /**
   * Fills `into` with bytes from `offset` on and returns their number, which is less than the length of `into` only
   * at the end.
   */
  read(into: Uint8Array, offset: number): number | Promise<number>;
  close(): void;
}

/** Unit of `Stats.blocks`, on every platform. */
const STAT_BLOCK_BYTES = 512;
/** File systems may keep a smaller file beside its name, without blocks. No model is that small. */
const INLINED_BYTES = 65_536;
/** A file system that compresses makes weights smaller, but never to a quarter of their size. */
const MOST_COMPRESSION = 4;

/**
 * Opens a file for reading.
 *
 * @throws ModelFileError FILE_NOT_FOUND or FILE_UNREADABLE.
 */
export function openFile(path: string): OpenSource {
  try {
    // Checked before opening, because opening a named pipe waits until somebody writes to it.
    if (!statSync(path).isFile()) {
      throw new ModelFileError(
        'FILE_UNREADABLE',
        `${path} is not a regular file. Name a model file.`,
        { path, reason: 'it is not a regular file' },
      );
    }
    const fd = openSync(path, 'r');
    const { size, blocks } = fstatSync(fd);
    return {
      path,
      sizeBytes: size,
      hasData: size < INLINED_BYTES || blocks * STAT_BLOCK_BYTES * MOST_COMPRESSION >= size,
      // Synchronous, because a header takes a few reads from the page cache, and the thread pool costs more
      // than such a read.
      read: (into, offset) => fill(path, fd, into, offset),
      close: () => closeSync(fd),
    };
  } catch (error) {
    throw asModelFileError(path, error);
  }
}

/** Bytes in memory as a source. */
export function openBuffer(bytes: Uint8Array): OpenSource {
  return {
    path: null,
    sizeBytes: bytes.length,
    hasData: true,
    read(into, offset) {
      const part = bytes.subarray(Math.min(offset, bytes.length), offset + into.length);
      into.set(part);
      return part.length;
    },
    close: () => undefined,
  };
}

/** A byte-range reader as a source. */
export function openRange(reader: ByteRangeReader): OpenSource {
  return {
    path: null,
    sizeBytes: reader.sizeBytes,
    hasData: true,
    async read(into, offset) {
      const bytes = await reader.read(offset, into.length);
      const part = bytes.length > into.length ? bytes.subarray(0, into.length) : bytes;
      into.set(part);
      return part.length;
    },
    close: () => undefined,
  };
}

function fill(path: string, fd: number, into: Uint8Array, offset: number): number {
  try {
    let done = 0;
    while (done < into.length) {
      const count = readSync(fd, into, done, into.length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  } catch (error) {
    throw asModelFileError(path, error);
  }
}

/** The ModelFileError for an error of the file system. */
export function asModelFileError(path: string, error: unknown): ModelFileError {
  if (error instanceof ModelFileError) return error;
  const code = systemErrorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new ModelFileError('FILE_NOT_FOUND', `${path} does not exist. Check the path.`, {
      path,
      reason: 'it does not exist',
      cause: error,
    });
  }
  return new ModelFileError(
    'FILE_UNREADABLE',
    `${path} cannot be read (${code ?? 'unknown error'}). Check its permissions.`,
    { path, reason: `it cannot be read (${code ?? 'unknown error'})`, cause: error },
  );
}
