import { setImmediate as turnOfOthers } from 'node:timers/promises';
import { ByteWindow } from './byte-window.js';
import {
  openBuffer,
  openFile,
  openRange,
  type ByteRangeReader,
  type OpenSource,
} from './byte-source.js';
import type { GgufHeader, GgufTensor } from './gguf-header.js';
import { HeaderLedger } from './header-ledger.js';
import { HeaderParser, type ParsedFile, type ParserOptions } from './header-parser.js';
import { isModelFileError } from './model-file-error.js';
import { splitFiles } from './split-files.js';

/** The first read: most headers without a vocabulary fit it. */
const FIRST_READ_BYTES = 64 * 1024;
const READ_BYTES = 128 * 1024;
/** 8 MiB: more than most headers have, vocabulary included. */
const READS_AT_ONCE = 64;

/** How to read a header. */
export interface ReadGgufHeaderOptions {
  /** Keys of arrays to keep however long they are (`tokenizer.ggml.tokens`). Default: none. */
  readonly keepArrays?: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * Reads the metadata and tensor descriptions of a GGUF model: a file (with the other parts of a split
 * one), bytes in memory, or any byte-range reader.
 *
 * Versions 2 and 3, both byte orders. Only a window of the file is in memory at a time, and long arrays
 * (vocabularies) are skipped. A file whose data is missing is read all the same and has `complete` false.
 *
 * @throws ModelFileError FILE_NOT_FOUND, FILE_UNREADABLE, NOT_GGUF, CORRUPT (with the offset),
 * UNSUPPORTED_VERSION.
 */
export async function readGgufHeader(
  source: string | Uint8Array | ByteRangeReader,
  options: ReadGgufHeaderOptions = {},
): Promise<GgufHeader> {
  const keepArrays = new Set(options.keepArrays);
  const path = typeof source === 'string' ? source : null;
  const paths = path === null ? null : splitFiles(path);
  const ledger = new HeaderLedger();
  const parts: ReadFile[] = [];
  let complete = true;
  for (const [fileIndex, file] of (paths ?? [null]).entries()) {
    options.signal?.throwIfAborted();
    try {
      const open = openSource(file ?? source);
      const part = await readFile(open, { keepArrays, fileIndex, ledger }, options.signal);
      parts.push(fileIndex === 0 ? part : { ...part, metadata: NO_METADATA });
    } catch (error) {
      // A part that is not there yet: the model is being downloaded. The first must be there, which says what
      // model it is, and the file asked for.
      const isNeeded = fileIndex === 0 || file === path;
      if (isNeeded || !isModelFileError(error) || error.code !== 'FILE_NOT_FOUND') throw error;
      complete = false;
    }
  }
  return join(parts, complete);
}

interface ReadFile extends ParsedFile {
  readonly path: string | null;
  readonly sizeBytes: number | null;
}

/** Of all parts but the first nobody needs it. */
const NO_METADATA: ReadFile['metadata'] = new Map();

async function readFile(
  source: OpenSource,
  options: Pick<ParserOptions, 'keepArrays' | 'fileIndex' | 'ledger'>,
  signal: AbortSignal | undefined,
): Promise<ReadFile> {
  const { path, sizeBytes } = source;
  const window = new ByteWindow();
  const parser = new HeaderParser(window, { ...options, path, sizeBytes });
  let buffer = Buffer.alloc(0);
  let length = FIRST_READ_BYTES;
  try {
    for (let reads = 1; ; reads += 1) {
      // Files are read synchronously; so that a long header leaves others their turn, and can be cancelled.
      if (reads % READS_AT_ONCE === 0) await turnOfOthers();
      signal?.throwIfAborted();
      const wanted = Math.max(length, window.wanted);
      if (buffer.length < wanted) buffer = Buffer.allocUnsafe(wanted);
      const filling = source.read(buffer, window.resumeOffset);
      const got = typeof filling === 'number' ? filling : await filling;
      window.load(buffer.subarray(0, got), window.resumeOffset);
      window.wanted = 0;
      const parsed = parser.advance();
      if (parsed !== null) return { ...parsed, path, sizeBytes };
      if (got < window.wanted) throw parser.truncated();
      length = READ_BYTES;
    }
  } finally {
    source.close();
  }
}

function openSource(source: string | Uint8Array | ByteRangeReader): OpenSource {
  if (typeof source === 'string') return openFile(source);
  return source instanceof Uint8Array ? openBuffer(source) : openRange(source);
}

/** One model from the files it is split into: the first file's metadata, everybody's tensors. */
function join(parts: readonly ReadFile[], allFound: boolean): GgufHeader {
  const first = parts[0] as ReadFile;
  const tensors = parts.flatMap((part) => part.tensors);
  const architecture = first.metadata.get('general.architecture');
  const expected = first.metadata.get('split.tensors.count');
  const sizes = parts.map((part) => part.sizeBytes);
  return {
    version: first.version,
    byteOrder: first.byteOrder,
    architecture: typeof architecture === 'string' ? architecture : null,
    metadata: first.metadata,
    tensors,
    tensorBytes: sum(tensors.map((tensor) => tensor.sizeBytes)),
    fileSizeBytes: sizes.includes(null) ? null : sum(sizes as number[]),
    complete:
      allFound &&
      parts.every(holdsItsData) &&
      (typeof expected !== 'number' || expected === tensors.length),
    files: parts.flatMap((part) => (part.path === null ? [] : [part.path])),
  };
}

function holdsItsData({ tensors, sizeBytes, dataOffsetBytes }: ReadFile): boolean {
  const last: GgufTensor | undefined = tensors.at(-1);
  if (last === undefined || sizeBytes === null) return true;
  return dataOffsetBytes + last.offsetBytes + last.sizeBytes <= sizeBytes;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
