import type { TokenFacts } from './bytes/token-list.js';
import type { GgufScalar, GgufValueType } from './bytes/value-types.js';

/** An array in a GGUF file. Only the length of a long array, such as a vocabulary, is kept. */
export interface GgufArray {
  readonly length: number;
  /** `null` where the array was skipped. */
  readonly values: readonly GgufScalar[] | null;
}

/** Whether a value of the metadata is an array. Absent and unreadable values are none. */
export function isGgufArray(value: GgufScalar | GgufArray | null | undefined): value is GgufArray {
  return typeof value === 'object' && value !== null;
}

/** The description of one tensor. */
export interface GgufTensor {
  readonly name: string;
  /** ggml_type number. */
  readonly type: number;
  /** Name of the type (`Q4_K`); `type-N` for a type that this package does not know. */
  readonly typeName: string;
  /** 1 to 4 extents. The elements of the first dimension lie next to each other. */
  readonly shape: readonly number[];
  /** Offset from the start of the file's tensor data. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Index of the tensor's file in a split model; 0 for a single file. */
  readonly fileIndex: number;
}

/** The metadata and the tensor descriptions of a GGUF model. */
export interface GgufHeader {
  readonly version: 2 | 3;
  readonly byteOrder: 'little' | 'big';
  /** `general.architecture`; `null` where the file does not name it. */
  readonly architecture: string | null;
  /** Metadata by key; `null` for a string of more than 65,536 bytes, which is skipped. */
  readonly metadata: ReadonlyMap<string, GgufScalar | GgufArray | null>;
  /** The type of each value in the metadata; for an array, the type of its elements. */
  readonly valueTypes: ReadonlyMap<string, GgufValueType>;
  /** `null` where the file has no list of tokens, or where the tokens were kept. */
  readonly tokens: TokenFacts | null;
  readonly tensors: readonly GgufTensor[];
  /** Bytes of the tensors in all files of the model. */
  readonly tensorBytes: number;
  /** Bytes of all files of the model on disk; `null` where the source does not know its size. */
  readonly fileSizeBytes: number | null;
  /** `false` where tensor data or a file of a split model is missing, as in an unfinished download. */
  readonly complete: boolean;
  /**
   * `false` where a file has its full size, but less than a quarter of it was written to the disk. It is then a header that is
   * passed on without the weights: estimates need no more.
   */
  readonly hasData: boolean;
  /** The files that the header was read from, in order; empty where the source is not a file. */
  readonly files: readonly string[];
}
