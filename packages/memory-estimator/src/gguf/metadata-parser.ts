import { printable, type CheckedReader } from './bytes/checked-reader.js';
import type { GgufArray } from './gguf-header.js';
import { MAX_ARRAY_DEPTH, MAX_KEPT_ARRAY_LENGTH, MAX_KEY_BYTES } from './header-budget.js';
import {
  knownVocabulary,
  TokenList,
  type KnownVocabulary,
  type TokenFacts,
} from './bytes/token-list.js';
import {
  leastBytes,
  scalarBytes,
  type GgufScalar,
  type GgufValueType,
} from './bytes/value-types.js';

/** Metadata by key; `null` for a string that was skipped. */
export type Metadata = ReadonlyMap<string, GgufScalar | GgufArray | null>;

/** The tokens of a vocabulary. */
export const TOKENS = 'tokenizer.ggml.tokens';

/** Metadata and its types, as in `GgufHeader`. */
export interface TypedMetadata {
  readonly metadata: Metadata;
  readonly tokens: TokenFacts | null;
  readonly valueTypes: ReadonlyMap<string, GgufValueType>;
}

/** Reads the metadata pairs of a file, and goes on from the last checkpoint when more bytes are loaded. */
export class MetadataParser {
  readonly #reader: CheckedReader;
  readonly #keepArrays: ReadonlySet<string>;
  readonly #metadata = new Map<string, GgufScalar | GgufArray | null>();
  readonly #types = new Map<string, GgufValueType>();
  #pending: PendingArray | null = null;
  #tokens: TokenList | null = null;
  /** A vocabulary that equals the tokens of this file as far as they were read. */
  #sameTokens: KnownVocabulary | null = null;

  /** @param keepArrays Keys of arrays that are kept at any length. */
  constructor(reader: CheckedReader, keepArrays: ReadonlySet<string>) {
    this.#reader = reader;
    this.#keepArrays = keepArrays;
  }

  /** Reads up to `count` pairs in all. Throws NEEDS_MORE if more bytes must be loaded first. */
  parse(count: number): TypedMetadata {
    if (this.#pending !== null) this.#finishArray(this.#pending);
    while (this.#metadata.size < count) this.#pair();
    return {
      metadata: this.#metadata,
      valueTypes: this.#types,
      tokens: this.#sameTokens?.facts ?? this.#tokens?.facts ?? null,
    };
  }

  #pair(): void {
    const reader = this.#reader;
    const keyAt = reader.window.offset;
    reader.requireBudget(reader.file.budget.keepPair(), keyAt);
    const key = reader.text(MAX_KEY_BYTES, 'a metadata key');
    // ggml-org/llama.cpp #24884 and #20874: older builds abort, newer builds refuse the file.
    if (key === '') throw reader.corrupt('a metadata key is empty', keyAt);
    if (this.#metadata.has(key))
      throw reader.corrupt(`the key "${printable(key)}" occurs twice`, keyAt);
    const type = reader.valueType('a value');
    if (type === 'array') {
      const array = this.#arrayHead(key, 1);
      if (key === TOKENS && array.type === 'string') this.#startTokens(array);
      reader.window.checkpoint();
      this.#pending = array;
      this.#finishArray(array);
      return;
    }
    this.#types.set(key, type);
    this.#metadata.set(key, type === 'string' ? reader.string() : reader.scalar(type));
    reader.window.checkpoint();
  }

  #startTokens({ length, values }: PendingArray): void {
    // The tokens of a kept array are not compared.
    if (values !== null) return;
    this.#sameTokens = knownVocabulary(length, this.#reader.window.littleEndian);
    this.#tokens = this.#sameTokens === null ? new TokenList(length) : null;
  }

  #arrayHead(key: string, depth: number): PendingArray {
    const reader = this.#reader;
    const typeAt = reader.window.offset;
    const type = reader.valueType('an array');
    const length = reader.window.uint64();
    if (depth > MAX_ARRAY_DEPTH) throw reader.corrupt('arrays are nested too deeply', typeAt);
    reader.requireWithinFile(length * leastBytes(type), typeAt, 'an array is longer than the file');
    if (type === 'string' || type === 'array')
      reader.requireBudget(reader.file.budget.walk(length), typeAt);
    const isKept =
      this.#keepArrays.has(key) || (type !== 'string' && length <= MAX_KEPT_ARRAY_LENGTH);
    return {
      key,
      type,
      length,
      remaining: length,
      depth,
      startOffset: reader.window.offset,
      values: depth === 1 && isKept && type !== 'array' ? [] : null,
      outer: null,
    };
  }

  /** Reads an array to its end, beginning with the innermost unfinished array. */
  #finishArray(innermost: PendingArray): void {
    let array = innermost;
    while (array.remaining > 0 || array.outer !== null) {
      if (array.remaining === 0 && array.outer !== null) {
        array = array.outer;
        this.#pending = array;
      } else {
        array = this.#arrayStep(array);
      }
    }
    this.#types.set(array.key, array.type);
    this.#metadata.set(array.key, { length: array.length, values: array.values });
    if (array.key === TOKENS) this.#tokens?.close(this.#reader.window.littleEndian);
    this.#pending = null;
    this.#reader.window.checkpoint();
  }

  /** Skips strings of an array, and returns how many. Tokens are compared on the way. */
  #passStrings(array: PendingArray): number {
    const { window } = this.#reader;
    const { key, depth, remaining } = array;
    if (key !== TOKENS || depth > 1) return window.skipStrings(remaining);
    if (this.#sameTokens !== null) return this.#passSame(array, this.#sameTokens);
    return window.addStrings(remaining, (this.#tokens ??= new TokenList(array.length)));
  }

  /** Passes bytes that equal those of a known vocabulary. At the first other byte, goes back to the first token. */
  #passSame({ startOffset, remaining }: PendingArray, { bytes }: KnownVocabulary): number {
    const { window } = this.#reader;
    if (window.passEqual(bytes, window.offset - startOffset))
      return window.offset - startOffset === bytes.length ? remaining : 0;
    this.#sameTokens = null;
    window.offset = startOffset;
    return 0;
  }

  /** Reads the next part of an array. Returns the array to read next: a nested array, or `array` itself. */
  #arrayStep(array: PendingArray): PendingArray {
    const reader = this.#reader;
    const { window } = reader;
    const { key, type } = array;
    if (type === 'array') {
      const inner = this.#arrayHead(key, array.depth + 1);
      array.remaining -= 1;
      inner.outer = array;
      this.#pending = inner;
      window.checkpoint();
      return inner;
    }
    if (array.values !== null) {
      // An array in `keepArrays` has no limit.
      if (!this.#keepArrays.has(key))
        reader.requireBudget(reader.file.budget.keepElement(), window.offset);
      array.values.push(type === 'string' ? (reader.string() ?? '') : reader.scalar(type));
      array.remaining -= 1;
    } else if (type === 'string') {
      array.remaining -= this.#passStrings(array);
      reader.requireWithinFile(0, window.stringOffset, 'a string reaches past the end of the file');
    } else {
      window.skip(array.remaining * scalarBytes(type));
      array.remaining = 0;
    }
    window.checkpoint();
    return array;
  }
}

/** An unfinished array: not all of its elements are read. */
interface PendingArray {
  readonly key: string;
  readonly type: GgufValueType;
  readonly length: number;
  /** 1 for the value of a pair, 2 for an array in that value, and so on. */
  readonly depth: number;
  /** Offset of the first element. */
  readonly startOffset: number;
  /** `null` where the array is counted and skipped. */
  readonly values: GgufScalar[] | null;
  remaining: number;
  /** The array that contains this array. */
  outer: PendingArray | null;
}
