import { pad } from '../pad.js';
import { NEEDS_MORE, type ByteWindow } from './bytes/byte-window.js';
import { CheckedReader, printable, type CheckedFile } from './bytes/checked-reader.js';
import type { GgufTensor } from './gguf-header.js';
import * as limits from './header-budget.js';
import { MetadataParser, type Metadata, type TypedMetadata } from './metadata-parser.js';
import { ModelFileError } from './model-file-error.js';
import { tensorTypeLayout, type TensorTypeLayout } from './tensor-types.js';

const MAGIC = 'GGUF';
const DEFAULT_ALIGNMENT = 32;
/** Alignment of tensors in memory (TENSOR_ALIGNMENT in ggml-impl.h). llama.cpp maps the file and aborts with another. */
const TENSOR_ALIGNMENT = 32;

/** The header of one file. */
export interface ParsedFile {
  readonly version: 2 | 3;
  readonly byteOrder: 'little' | 'big';
  readonly metadata: Metadata;
  readonly valueTypes: TypedMetadata['valueTypes'];
  readonly tokens: TypedMetadata['tokens'];
  readonly tensors: readonly GgufTensor[];
  /** Offset at which the data of the first tensor begins. */
  readonly dataOffsetBytes: number;
}

export interface ParserOptions extends CheckedFile {
  /** Keys of arrays that are kept at any length. */
  readonly keepArrays: ReadonlySet<string>;
  readonly fileIndex: number;
}

/** Reads a file's header step by step, so that only a window of the file is in memory. */
export class HeaderParser {
  readonly #window: ByteWindow;
  readonly #reader: CheckedReader;
  readonly #options: ParserOptions;
  readonly #metadata: MetadataParser;
  readonly #tensors: GgufTensor[] = [];
  #isGguf = false;
  #start: Start | null = null;
  #alignment: number | null = null;
  /** Offset at which the next tensor must begin; `null` after a tensor of an unknown size. */
  #expectedOffset: number | null = 0;

  constructor(window: ByteWindow, options: ParserOptions) {
    this.#window = window;
    this.#options = options;
    this.#reader = new CheckedReader(window, options);
    this.#metadata = new MetadataParser(this.#reader, options.keepArrays);
  }

  /** Reads on from the last checkpoint; `null` where more bytes must be loaded first. */
  advance(): ParsedFile | null {
    try {
      this.#start ??= this.#readStart();
      const { version, pairCount, tensorCount } = this.#start;
      const { metadata, valueTypes, tokens } = this.#metadata.parse(pairCount);
      this.#alignment ??= this.#readAlignment({ metadata, valueTypes });
      while (this.#tensors.length < tensorCount) this.#readTensor(this.#alignment);
      const dataOffsetBytes = pad(this.#window.offset, this.#alignment);
      if (tensorCount > 0 && dataOffsetBytes % TENSOR_ALIGNMENT !== 0)
        throw this.#reader.corrupt(
          `the tensor data does not begin at a multiple of ${TENSOR_ALIGNMENT} bytes, as llama.cpp needs it`,
          dataOffsetBytes,
        );
      return {
        version,
        byteOrder: this.#window.littleEndian ? 'little' : 'big',
        metadata,
        valueTypes,
        tokens,
        tensors: this.#tensors.map((tensor, i) =>
          Number.isNaN(tensor.sizeBytes)
            ? this.#sizeFromNeighbour(tensor, i, dataOffsetBytes)
            : tensor,
        ),
        dataOffsetBytes,
      };
    } catch (error) {
      if (error === NEEDS_MORE) return null;
      throw error;
    }
  }

  /** The error for a file that ends within its header. */
  truncated(): ModelFileError {
    if (!this.#isGguf) return this.#notGguf('');
    return this.#reader.corrupt('the file ends in the middle of its header', this.#window.offset);
  }

  #readStart(): Start {
    const window = this.#window;
    const magic = window.text(MAGIC.length);
    if (magic !== MAGIC) throw this.#notGguf(magic);
    this.#isGguf = true;
    let version = window.uint32();
    // Versions are small numbers, so a zero low half means that the file has the other byte order.
    if ((version & 0xffff) === 0 && version !== 0) {
      window.littleEndian = false;
      version = swapBytes(version);
    }
    if (version !== 2 && version !== 3) {
      const { path } = this.#options;
      const fault = `is GGUF version ${version}, but Mai reads only versions 2 and 3`;
      throw new ModelFileError(
        'UNSUPPORTED_VERSION',
        `${this.#reader.name} ${fault}. Convert the file or update Mai.`,
        { path, offsetBytes: MAGIC.length, reason: `it ${fault}` },
      );
    }
    const countAt = window.offset;
    const tensorCount = window.uint64();
    const pairCount = window.uint64();
    if (tensorCount > limits.MAX_TENSORS)
      throw this.#reader.corrupt('the file claims an impossible number of tensors', countAt);
    if (pairCount > limits.MAX_METADATA_PAIRS)
      throw this.#reader.corrupt(
        'the file claims an impossible number of metadata pairs',
        countAt + 8,
      );
    window.checkpoint();
    return { version, tensorCount, pairCount };
  }

  #readAlignment({ metadata, valueTypes }: Pick<TypedMetadata, 'metadata' | 'valueTypes'>): number {
    const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT;
    const type = valueTypes.get('general.alignment') ?? 'uint32';
    if (typeof alignment !== 'number' || type !== 'uint32' || !isPowerOfTwo(alignment))
      throw this.#reader.corrupt(
        'general.alignment must be a uint32 and a power of two',
        this.#window.offset,
      );
    return alignment;
  }

  #readTensor(alignment: number): void {
    const window = this.#window;
    const reader = this.#reader;
    const { budget, fileIndex } = this.#options;
    const nameAt = window.offset;
    reader.requireBudget(budget.keepTensor(), nameAt);
    const name = reader.text(limits.MAX_NAME_BYTES, 'a tensor name');
    const shapeAt = window.offset;
    const { shape, elements } = this.#readShape();
    const typeAt = window.offset;
    const type = window.uint32();
    const offsetBytes = window.uint64();
    const layout = tensorTypeLayout(type);
    const sizeBytes = layout === null ? Number.NaN : this.#sizeOf(layout, shape, elements, typeAt);
    if (
      offsetBytes > limits.MAX_OFFSET_BYTES ||
      (this.#expectedOffset !== null && offsetBytes !== this.#expectedOffset)
    )
      throw reader.corrupt(
        `the tensor "${printable(name)}" lies at an impossible offset`,
        typeAt + 4,
      );
    this.#expectedOffset = layout === null ? null : pad(offsetBytes + sizeBytes, alignment);
    if (this.#expectedOffset !== null && !Number.isSafeInteger(this.#expectedOffset))
      throw reader.corrupt('a tensor claims an impossible size', shapeAt);
    if (!budget.isNewTensor(name))
      throw reader.corrupt(`the tensor "${printable(name)}" occurs twice`, nameAt);
    const typeName = layout?.name ?? `type-${type}`;
    this.#tensors.push({ name, type, typeName, shape, offsetBytes, sizeBytes, fileIndex });
    window.checkpoint();
  }

  #readShape(): { readonly shape: readonly number[]; readonly elements: number } {
    const window = this.#window;
    const at = window.offset;
    const dimensions = window.uint32();
    if (dimensions > limits.MAX_DIMENSIONS)
      throw this.#reader.corrupt(`a tensor claims ${dimensions} dimensions`, at);
    const shape: number[] = [];
    let elements = 1;
    for (let i = 0; i < dimensions; i += 1) {
      const extent = window.uint64();
      if (extent === 0) throw this.#reader.corrupt('a tensor has no elements', at + 4 + 8 * i);
      elements *= extent;
      shape.push(extent);
    }
    if (!Number.isSafeInteger(elements))
      throw this.#reader.corrupt('a tensor claims an impossible shape', at + 4);
    return { shape: shape.length === 0 ? [1] : shape, elements };
  }

  #sizeOf(
    layout: TensorTypeLayout,
    [row = 1]: readonly number[],
    elements: number,
    typeAt: number,
  ): number {
    if (row % layout.blockElements !== 0)
      throw this.#reader.corrupt(
        `a row of ${row} elements does not fill blocks of ${layout.name}`,
        typeAt,
      );
    return (elements / layout.blockElements) * layout.blockBytes;
  }

  /**
   * The size of a tensor of an unknown type. The tensor ends at the next tensor or at the end of the file.
   */
  #sizeFromNeighbour(tensor: GgufTensor, i: number, dataOffsetBytes: number): GgufTensor {
    const { sizeBytes: fileBytes } = this.#options;
    const end =
      this.#tensors[i + 1]?.offsetBytes ??
      (fileBytes === null ? tensor.offsetBytes : fileBytes - dataOffsetBytes);
    return { ...tensor, sizeBytes: Math.max(0, end - tensor.offsetBytes) };
  }

  #notGguf(magic: string): ModelFileError {
    const { path, sizeBytes } = this.#options;
    const known = sizeBytes === 0 ? EMPTY : OTHER_FORMATS.get(magic);
    const { fault, next } = known ?? {
      fault: 'is not a GGUF file',
      next: 'Name a model file whose name ends in .gguf.',
    };
    return new ModelFileError('NOT_GGUF', `${this.#reader.name} ${fault}. ${next}`, {
      path,
      offsetBytes: 0,
      reason: `it ${fault}`,
    });
  }
}

const EMPTY = { fault: 'is empty', next: 'Download it again.' } as const;
const OLD_FORMAT = {
  fault: 'is in a format from before GGUF, which llama.cpp no longer reads',
  next: 'Download the model as GGUF.',
} as const;

/** Files that often lie under the name of a model, by their first four bytes. */
const OTHER_FORMATS: ReadonlyMap<string, { readonly fault: string; readonly next: string }> =
  new Map([
    [
      'vers',
      {
        fault: 'is a pointer of Git LFS, not the model itself',
        next: 'Run `git lfs pull` beside it.',
      },
    ],
    // GGML's magic numbers, as they are stored: ggml, ggmf, ggjt and ggla.
    ...['lmgg', 'fmgg', 'tjgg', 'algg'].map((magic) => [magic, OLD_FORMAT] as const),
  ]);

/** The first fields of a file. */
interface Start {
  readonly version: 2 | 3;
  readonly tensorCount: number;
  readonly pairCount: number;
}

function swapBytes(value: number): number {
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
