/** A scalar in a GGUF file; a 64-bit integer that a number cannot hold is a bigint. */
export type GgufScalar = string | number | bigint | boolean;

/** An array in a GGUF file. Long ones (vocabularies) are counted, not kept. */
export interface GgufArray {
  readonly length: number;
  /** Null where the array was skipped. */
  readonly values: readonly GgufScalar[] | null;
}

/** One tensor's description. */
export interface GgufTensor {
  readonly name: string;
  /** ggml_type number. */
  readonly type: number;
  /** Name of the type (`Q4_K`), or `type-N` for one that this package does not know. */
  readonly typeName: string;
  /** Fastest-running dimension first; 1 to 4 of them. */
  readonly shape: readonly number[];
  /** From the start of the tensor data of its file. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Which file of a split model holds it; 0 for a single file. */
  readonly fileIndex: number;
}

/** What a GGUF file says about its model before the first byte of its weights. */
export interface GgufHeader {
  readonly version: 2 | 3;
  readonly byteOrder: 'little' | 'big';
  /** `general.architecture`, or null where the file names none. */
  readonly architecture: string | null;
  /** Metadata by key. A string above the limit is null: present, but skipped. */
  readonly metadata: ReadonlyMap<string, GgufScalar | GgufArray | null>;
  readonly tensors: readonly GgufTensor[];
  /** Sum of the tensors' bytes over all files of the model. */
  readonly tensorBytes: number;
  /** Bytes of all files of the model, as they are on disk; null where the source does not know. */
  readonly fileSizeBytes: number | null;
  /** False where tensor data or a part of a split model is missing: a header alone, or a download that is not done. */
  readonly complete: boolean;
  /** The files that the header was read from, in order; empty where the source was no file. */
  readonly files: readonly string[];
}
