import { pad } from '../pad.js';
import { NEEDS_MORE, type ByteWindow } from './byte-window.js';
import type { GgufArray, GgufScalar, GgufTensor } from './gguf-header.js';
import type { HeaderLedger } from './header-ledger.js';
import * as limits from './header-limits.js';
import { ModelFileError } from './model-file-error.js';
import { tensorTypeLayout } from './tensor-types.js';
import { readScalar, SCALAR_BYTES, TYPE_ARRAY, TYPE_STRING } from './value-types.js';

const MAGIC = 'GGUF';
const DEFAULT_ALIGNMENT = 32;

/** What one file holds. */
export interface ParsedFile {
  readonly version: 2 | 3;
  readonly byteOrder: 'little' | 'big';
  readonly metadata: Map<string, GgufScalar | GgufArray | null>;
  readonly tensors: GgufTensor[];
  readonly dataOffsetBytes: number;
}

export interface ParserOptions {
  readonly path: string | null;
  readonly sizeBytes: number | null;
  /** Keys of arrays to keep however long they are. */
  readonly keepArrays: ReadonlySet<string>;
  readonly fileIndex: number;
  /** Shared by the files of a model. */
  readonly ledger: HeaderLedger;
}

/** Reads one file's header step by step, so that only a window of the file is ever in memory. */
export class HeaderParser {
  readonly #window: ByteWindow;
  readonly #options: ParserOptions;
  readonly #metadata = new Map<string, GgufScalar | GgufArray | null>();
  readonly #tensors: GgufTensor[] = [];
  #isGguf = false;
  #version: 2 | 3 | null = null;
  #pairs = 0;
  #tensorCount = 0;
  #array: PendingArray | null = null;
  #expectedOffset: number | null = 0;
  #alignment = DEFAULT_ALIGNMENT;

  constructor(window: ByteWindow, options: ParserOptions) {
    this.#window = window;
    this.#options = options;
  }

  /** Reads on from the last checkpoint; null where more bytes must be loaded first. */
  advance(): ParsedFile | null {
    try {
      if (this.#version === null) this.#start();
      if (this.#array !== null) this.#finishArray(this.#array);
      while (this.#pairs > 0) this.#pair();
      while (this.#tensors.length < this.#tensorCount) this.#tensor();
      return this.#finish();
    } catch (error) {
      if (error === NEEDS_MORE) return null;
      throw error;
    }
  }

  /** The file ended where more was due. */
  truncated(): ModelFileError {
    if (!this.#isGguf) return this.#notGguf();
    return this.#corrupt('the file ends in the middle of its header', this.#window.offset);
  }

  #start(): void {
    const window = this.#window;
    if (window.text(MAGIC.length) !== MAGIC) throw this.#notGguf();
    this.#isGguf = true;
    let version = window.uint32();
    // A file of the other byte order has its small version number in the high half.
    if ((version & 0xffff) === 0 && version !== 0) {
      window.littleEndian = false;
      version = swap32(version);
    }
    if (version !== 2 && version !== 3) {
      throw new ModelFileError(
        'UNSUPPORTED_VERSION',
        `${this.#name()} is GGUF version ${version}; versions 2 and 3 are read. Convert it anew or update Mai.`,
        { path: this.#options.path, offsetBytes: MAGIC.length },
      );
    }
    const countAt = window.offset;
    this.#tensorCount = window.uint64();
    this.#pairs = window.uint64();
    if (this.#tensorCount > limits.MAX_TENSORS)
      throw this.#corrupt('the file claims an absurd number of tensors', countAt);
    if (this.#pairs > limits.MAX_METADATA_PAIRS)
      throw this.#corrupt('the file claims an absurd number of metadata pairs', countAt + 8);
    window.checkpoint();
    this.#version = version;
  }

  #pair(): void {
    const window = this.#window;
    const keyAt = window.offset;
    this.#afford(this.#options.ledger.keepPair(), keyAt);
    const key = this.#boundedText(limits.MAX_KEY_BYTES, 'a metadata key');
    if (this.#metadata.has(key))
      throw this.#corrupt(`the key "${printable(key)}" occurs twice`, keyAt);
    const type = window.uint32();
    if (type === TYPE_ARRAY) {
      const array = this.#arrayHead(key, 1);
      window.checkpoint();
      this.#array = array;
      this.#finishArray(array);
      return;
    }
    this.#metadata.set(key, type === TYPE_STRING ? this.#keptString() : this.#scalar(type));
    this.#pairDone();
  }

  #arrayHead(key: string, depth: number): PendingArray {
    const window = this.#window;
    const typeAt = window.offset;
    const type = window.uint32();
    const length = window.uint64();
    if (type > 12) throw this.#corrupt(`an array has the unknown type ${type}`, typeAt);
    if (depth > limits.MAX_ARRAY_DEPTH) throw this.#corrupt('arrays are nested too deeply', typeAt);
    const size = SCALAR_BYTES[type] ?? (type === TYPE_STRING ? 8 : 12);
    this.#within(length * size, typeAt, 'an array is longer than the file');
    const isWalked = type === TYPE_STRING || type === TYPE_ARRAY;
    if (isWalked) this.#afford(this.#options.ledger.walk(length), typeAt);
    const keep =
      this.#options.keepArrays.has(key) ||
      (type !== TYPE_STRING && length <= limits.MAX_KEPT_ARRAY_LENGTH);
    return {
      key,
      type,
      length,
      remaining: length,
      depth,
      values: depth === 1 && keep && type !== TYPE_ARRAY ? [] : null,
      outer: null,
    };
  }

  #finishArray(start: PendingArray): void {
    let array: PendingArray | null = start;
    while (array !== null) {
      if (array.remaining === 0) {
        if (array.outer === null) break;
        array = array.outer;
        this.#array = array;
        continue;
      }
      array = this.#arrayStep(array);
    }
    this.#metadata.set(start.key, { length: rootOf(start).length, values: rootOf(start).values });
    this.#array = null;
    this.#pairDone();
  }

  /** Goes one step on in an array; a nested array comes back as the next one to walk. */
  #arrayStep(array: PendingArray): PendingArray {
    const window = this.#window;
    if (array.type === TYPE_ARRAY) {
      const inner = this.#arrayHead(array.key, array.depth + 1);
      array.remaining -= 1;
      inner.outer = array;
      this.#array = inner;
      window.checkpoint();
      return inner;
    }
    if (array.values !== null) {
      // Who asks for an array by name knows what that takes.
      if (!this.#options.keepArrays.has(array.key))
        this.#afford(this.#options.ledger.keepElement(), window.offset);
      array.values.push(
        array.type === TYPE_STRING ? (this.#keptString() ?? '') : this.#scalar(array.type),
      );
      array.remaining -= 1;
    } else if (array.type === TYPE_STRING) {
      array.remaining -= window.skipStrings(array.remaining);
      this.#within(0, window.stringOffset, 'a string reaches past the end of the file');
    } else {
      window.skip(array.remaining * (SCALAR_BYTES[array.type] ?? 0));
      array.remaining = 0;
    }
    window.checkpoint();
    return array;
  }

  #tensor(): void {
    const window = this.#window;
    const nameAt = window.offset;
    const { ledger } = this.#options;
    this.#afford(ledger.keepTensor(), nameAt);
    const name = this.#boundedText(limits.MAX_NAME_BYTES, 'a tensor name');
    const dimensionsAt = window.offset;
    const dimensions = window.uint32();
    if (dimensions > limits.MAX_DIMENSIONS)
      throw this.#corrupt(`a tensor claims ${dimensions} dimensions`, dimensionsAt);
    const shape: number[] = [];
    let elements = 1;
    for (let i = 0; i < dimensions; i += 1) {
      const extent = window.uint64();
      elements *= extent;
      shape.push(extent);
    }
    if (!Number.isSafeInteger(elements))
      throw this.#corrupt('a tensor claims an absurd shape', dimensionsAt + 4);
    if (shape.length === 0) shape.push(1);
    const typeAt = window.offset;
    const type = window.uint32();
    const offsetBytes = window.uint64();
    const layout = tensorTypeLayout(type);
    const row = shape[0] as number;
    if (layout !== null && row % layout.blockElements !== 0)
      throw this.#corrupt(
        `a row of ${row} elements does not fill blocks of ${layout.name}`,
        typeAt,
      );
    const sizeBytes =
      layout === null ? Number.NaN : (elements / layout.blockElements) * layout.blockBytes;
    if (
      offsetBytes > limits.MAX_OFFSET_BYTES ||
      (this.#expectedOffset !== null && offsetBytes !== this.#expectedOffset)
    )
      throw this.#corrupt(
        `the tensor "${printable(name)}" lies at an impossible offset`,
        typeAt + 4,
      );
    this.#expectedOffset = layout === null ? null : pad(offsetBytes + sizeBytes, this.#alignment);
    if (this.#expectedOffset !== null && !Number.isSafeInteger(this.#expectedOffset))
      throw this.#corrupt('a tensor claims an absurd size', dimensionsAt);
    if (!ledger.isNewTensor(name))
      throw this.#corrupt(`the tensor "${printable(name)}" occurs twice`, nameAt);
    this.#tensors.push({
      name,
      type,
      typeName: layout?.name ?? `type-${type}`,
      shape,
      offsetBytes,
      sizeBytes,
      fileIndex: this.#options.fileIndex,
    });
    window.checkpoint();
  }

  #finish(): ParsedFile {
    const dataOffsetBytes = pad(this.#window.offset, this.#alignment);
    return {
      version: this.#version as 2 | 3,
      byteOrder: this.#window.littleEndian ? 'little' : 'big',
      metadata: this.#metadata,
      tensors: this.#tensors.map((tensor, i) =>
        Number.isNaN(tensor.sizeBytes)
          ? this.#sizeFromNeighbour(tensor, i, dataOffsetBytes)
          : tensor,
      ),
      dataOffsetBytes,
    };
  }

  /** A type that this package does not know: the next tensor, or the file, says where it ends. */
  #sizeFromNeighbour(tensor: GgufTensor, i: number, dataOffsetBytes: number): GgufTensor {
    const { sizeBytes: fileBytes } = this.#options;
    const end =
      this.#tensors[i + 1]?.offsetBytes ??
      (fileBytes === null ? tensor.offsetBytes : fileBytes - dataOffsetBytes);
    return { ...tensor, sizeBytes: Math.max(0, end - tensor.offsetBytes) };
  }

  #pairDone(): void {
    this.#pairs -= 1;
    this.#window.checkpoint();
    if (this.#pairs > 0) return;
    const alignment = this.#metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT;
    if (typeof alignment !== 'number' || !isPowerOfTwo(alignment))
      throw this.#corrupt('general.alignment is no power of two', this.#window.offset);
    this.#alignment = alignment;
  }

  #keptString(): string | null {
    const window = this.#window;
    const at = window.offset;
    const length = window.uint64();
    this.#within(length, at, 'a string is longer than the file');
    if (length <= limits.MAX_KEPT_STRING_BYTES) return this.#kept(window.text(length), at);
    window.skip(length);
    return null;
  }

  #boundedText(limit: number, what: string): string {
    const at = this.#window.offset;
    const length = this.#window.uint64();
    if (length > limit)
      throw this.#corrupt(
        `${what} claims ${length === Infinity ? 'more than 2^53' : length} bytes`,
        at,
      );
    return this.#kept(this.#window.text(length), at);
  }

  #kept(text: string, at: number): string {
    this.#afford(this.#options.ledger.keepText(text), at);
    return text;
  }

  #afford(isAffordable: boolean, at: number): void {
    if (!isAffordable) throw this.#corrupt('the header holds more than any model needs', at);
  }

  #scalar(type: number): GgufScalar {
    const window = this.#window;
    const size = SCALAR_BYTES[type];
    if (size === undefined || size === null)
      throw this.#corrupt(`a value has the unknown type ${type}`, window.offset - 4);
    return readScalar(window.view(size), type, window.littleEndian);
  }

  #within(length: number, at: number, message: string): void {
    const { sizeBytes } = this.#options;
    const end = this.#window.offset + length;
    if (!Number.isSafeInteger(end) || (sizeBytes !== null && end > sizeBytes))
      throw this.#corrupt(message, at);
  }

  #corrupt(what: string, offsetBytes: number): ModelFileError {
    return new ModelFileError(
      'CORRUPT',
      `${this.#name()} is damaged: ${what} (at byte ${offsetBytes}). Download it again.`,
      { path: this.#options.path, offsetBytes },
    );
  }

  #notGguf(): ModelFileError {
    return new ModelFileError(
      'NOT_GGUF',
      `${this.#name()} is no GGUF file. Name a model file whose name ends in .gguf.`,
      {
        path: this.#options.path,
        offsetBytes: 0,
      },
    );
  }

  #name(): string {
    return this.#options.path ?? 'The model data';
  }
}

interface PendingArray {
  readonly key: string;
  readonly type: number;
  readonly length: number;
  readonly depth: number;
  readonly values: GgufScalar[] | null;
  remaining: number;
  outer: PendingArray | null;
}

function rootOf(array: PendingArray): PendingArray {
  return array.outer === null ? array : rootOf(array.outer);
}

function swap32(value: number): number {
  return (
    (((value & 0xff) << 24) |
      ((value & 0xff00) << 8) |
      ((value >>> 8) & 0xff00) |
      ((value >>> 24) & 0xff)) >>>
    0
  );
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < 2 ** 31 && (value & (value - 1)) === 0;
}

function printable(text: string): string {
  return text.slice(0, 64).replace(/[^\x20-\x7e]/g, '?');
}
