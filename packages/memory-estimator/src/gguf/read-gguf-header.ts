import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { itemAt } from '../item-at.js';
import { ByteWindow } from './bytes/byte-window.js';
import {
  openBuffer,
  openFile,
  openRange,
  type ByteRangeReader,
  type OpenSource,
} from './bytes/byte-source.js';
import { isGgufArray, type GgufHeader, type GgufTensor } from './gguf-header.js';
import { HeaderBudget } from './header-budget.js';
import { HeaderParser, type ParsedFile, type ParserOptions } from './header-parser.js';
import { isModelFileError, ModelFileError } from './model-file-error.js';
import { TOKENS } from './metadata-parser.js';
import { splitFiles } from './split-files.js';
import { exactTokenFacts } from './bytes/token-list.js';

/** Size of the first read. Most headers without a vocabulary fit into it. */
const FIRST_READ_BYTES = 64 * 1024;
const READ_BYTES = 128 * 1024;
/** The buffer of the last read, so that a list of models does not allocate one for each file. Null while a file is read. */
let spareBuffer: Buffer | null = null;
/** Number of reads (8 MiB) before a break. Most headers are shorter, even with a vocabulary. */
const READS_AT_ONCE = 64;

/** Options of `readGgufHeader`. */
export interface ReadGgufHeaderOptions {
  /** Keys of arrays that are kept at any length (`tokenizer.ggml.tokens`). Default: empty. */
  readonly keepArrays?: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * Reads the metadata and the tensor descriptions of a GGUF model.
 *
 * Reads versions 2 and 3 in both byte orders. Only a window of the file is in memory at a time. Arrays of
 * strings and arrays of more than 1,024 numbers are skipped. A file without its tensor data is read too;
 * `complete` is `false` then.
 *
 * @param source The path of a file (the other files of a split model are read with it), bytes in memory, or
 * a byte-range reader.
 * @throws ModelFileError FILE_NOT_FOUND, FILE_UNREADABLE, NOT_GGUF, CORRUPT (with the offset),
 * UNSUPPORTED_VERSION; `signal.reason` where it was cancelled.
 */
export async function readGgufHeader(
  source: string | Uint8Array | ByteRangeReader,
  options: ReadGgufHeaderOptions = {},
): Promise<GgufHeader> {
  const keepArrays = new Set(options.keepArrays);
  const path = typeof source === 'string' ? source : null;
  const paths = path === null ? null : splitFiles(path);
  const budget = new HeaderBudget();
  const parts: ReadFile[] = [];
  let complete = true;
  for (const [fileIndex, file] of (paths ?? [null]).entries()) {
    options.signal?.throwIfAborted();
    try {
      const open = openSource(file ?? source);
      const part = await exactly(
        await readFile(open, { keepArrays, fileIndex, budget }, options.signal),
        () => readTokens(file ?? source, options.signal),
      );
      if (paths !== null && fileIndex === 0 && isWhole(part, paths.length))
        return join([part], true);
      requirePlace(part, fileIndex, paths?.length ?? 1);
      parts.push(fileIndex === 0 ? part : { ...part, ...NO_METADATA });
    } catch (error) {
      // During a download, files of a split model are missing. Only the first file, which holds the
      // metadata, and the requested file are required.
      const isMissing = isModelFileError(error) && error.code === 'FILE_NOT_FOUND';
      if (!isMissing || file === path) throw error;
      if (fileIndex === 0) throw withoutFirstPart(path, file);
      complete = false;
    }
  }
  return join(parts, complete);
}

/**
 * Whether a file that is named as the first part of a split model is a whole model: llama.cpp reads the number of parts in the
 * file, not in its name. A header without data may lack it.
 */
function isWhole({ metadata, hasData }: ReadFile, partsByName: number): boolean {
  const count = Number(metadata.get('split.count') ?? 0);
  return partsByName > 1 && hasData && count <= 1 && Number(metadata.get('split.no') ?? 0) === 0;
}

/** Throws CORRUPT for a part with another number than its name states, which llama.cpp refuses. */
function requirePlace({ metadata, hasData, path }: ReadFile, index: number, parts: number): void {
  if (!hasData || parts === 1) return;
  const [key, wanted] = index === 0 ? ['split.count', parts] : ['split.no', index];
  const stated = metadata.get(key);
  if (stated === wanted) return;
  const what =
    typeof stated === 'number' ? `its ${key} is ${stated}, not ${wanted}` : `it lacks ${key}`;
  const fault = `is not the part of a split model that its name states: ${what}`;
  throw new ModelFileError(
    'CORRUPT',
    `${path ?? 'The model'} ${fault}. Download the model again.`,
    {
      path,
      reason: `it ${fault}`,
    },
  );
}

function withoutFirstPart(path: string | null, first: string | null): ModelFileError {
  return new ModelFileError(
    'FILE_NOT_FOUND',
    `${path} is a part of a split model, and the first part is missing: ${first} does not exist. Finish the download.`,
    { path: first, reason: 'the first part of the split model is missing' },
  );
}

interface ReadFile extends ParsedFile {
  readonly path: string | null;
  readonly sizeBytes: number | null;
  readonly hasData: boolean;
}

/** Replaces the metadata of the second and later files, which is not used. */
const NO_METADATA: Pick<ReadFile, 'metadata' | 'valueTypes'> = {
  metadata: new Map(),
  valueTypes: new Map(),
};

async function readFile(
  source: OpenSource,
  options: Pick<ParserOptions, 'keepArrays' | 'fileIndex' | 'budget'>,
  signal: AbortSignal | undefined,
): Promise<ReadFile> {
  const { path, sizeBytes, hasData } = source;
  const window = new ByteWindow();
  const parser = new HeaderParser(window, { ...options, path, sizeBytes });
  let buffer = spareBuffer ?? Buffer.allocUnsafe(READ_BYTES);
  spareBuffer = null;
  let length = FIRST_READ_BYTES;
  try {
    for (let reads = 1; ; reads += 1) {
      // Files are read synchronously. A break lets other work run, and lets the signal fire.
      if (reads % READS_AT_ONCE === 0) await yieldToEventLoop();
      signal?.throwIfAborted();
      const wanted = Math.max(length, window.wanted);
      if (buffer.length < wanted) buffer = Buffer.allocUnsafe(wanted);
      const start = window.resumeOffset;
      const filling = source.read(buffer.subarray(0, wanted), start);
      const got = typeof filling === 'number' ? filling : await filling;
      window.load(buffer.subarray(0, got), start);
      window.wanted = 0;
      const parsed = parser.advance();
      if (parsed !== null) return { ...parsed, path, sizeBytes, hasData };
      // The file ends here if there are fewer bytes than were asked for. The parser may also have gone back in the file.
      const neededEnd = window.resumeOffset + window.wanted;
      if (got < wanted && neededEnd > start + got) throw parser.truncated();
      length = READ_BYTES;
    }
  } finally {
    source.close();
    if (buffer.length === READ_BYTES) spareBuffer = buffer;
  }
}

/** Where two tokens of the vocabulary have the same hashes, reads the tokens again and compares their texts. */
async function exactly(
  part: ReadFile,
  read: () => Promise<readonly unknown[] | null>,
): Promise<ReadFile> {
  if (part.tokens?.repeats !== true) return part;
  const tokens = await read();
  return tokens === null ? part : { ...part, tokens: exactTokenFacts(tokens, part.tokens) };
}

async function readTokens(
  source: string | Uint8Array | ByteRangeReader,
  signal: AbortSignal | undefined,
): Promise<readonly unknown[] | null> {
  const options = { keepArrays: new Set([TOKENS]), fileIndex: 0, budget: new HeaderBudget() };
  const { metadata } = await readFile(openSource(source), options, signal);
  const tokens = metadata.get(TOKENS);
  return isGgufArray(tokens) ? tokens.values : null;
}

function openSource(source: string | Uint8Array | ByteRangeReader): OpenSource {
  if (typeof source === 'string') return openFile(source);
  return source instanceof Uint8Array ? openBuffer(source) : openRange(source);
}

/** Joins the files of a split model: the metadata of the first file, and the tensors of all. */
function join(parts: readonly ReadFile[], allFound: boolean): GgufHeader {
  const first = itemAt(parts, 0);
  const tensors = new Array<GgufTensor>().concat(...parts.map((part) => part.tensors));
  const architecture = first.metadata.get('general.architecture');
  const sizes = parts.flatMap((part) => part.sizeBytes ?? []);
  return {
    version: first.version,
    byteOrder: first.byteOrder,
    architecture: typeof architecture === 'string' ? architecture : null,
    metadata: first.metadata,
    valueTypes: first.valueTypes,
    tokens: first.tokens,
    tensors,
    tensorBytes: tensors.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
    fileSizeBytes: sizes.length < parts.length ? null : sum(sizes),
    complete: allFound && parts.every(holdsItsData) && hasAllParts(first, tensors.length),
    hasData: parts.every(({ hasData }) => hasData),
    files: parts.flatMap((part) => (part.path === null ? [] : [part.path])),
  };
}

/** llama.cpp reads the number of tensors only of a model that is split. */
function hasAllParts({ metadata }: ParsedFile, tensors: number): boolean {
  const expected = metadata.get('split.tensors.count');
  return (
    Number(metadata.get('split.count') ?? 0) <= 1 ||
    typeof expected !== 'number' ||
    expected === tensors
  );
}

function holdsItsData({ tensors, sizeBytes, dataOffsetBytes }: ReadFile): boolean {
  const last = tensors.at(-1);
  if (last === undefined || sizeBytes === null) return true;
  return dataOffsetBytes + last.offsetBytes + last.sizeBytes <= sizeBytes;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
