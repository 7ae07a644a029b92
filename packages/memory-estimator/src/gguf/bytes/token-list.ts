/** A vocabulary that was read, and what was found in it. */
export interface KnownVocabulary {
  readonly length: number;
  readonly littleEndian: boolean;
  /** Its tokens as in the file, each with its length before it. */
  readonly bytes: Buffer;
  readonly facts: TokenFacts;
}

/** The last vocabulary. Models of one family have the same one, and comparing bytes is much faster than comparing tokens. */
let lastVocabulary: KnownVocabulary | null = null;
/** A larger vocabulary is not kept. One of 262,144 tokens takes 4 MB. */
const MAX_KEPT_BYTES = 2 ** 23;

/** The last vocabulary if it has this number of tokens in this byte order; `null` otherwise. */
export function knownVocabulary(length: number, littleEndian: boolean): KnownVocabulary | null {
  return lastVocabulary?.length === length && lastVocabulary.littleEndian === littleEndian
    ? lastVocabulary
    : null;
}

/** What is known of the tokens of a vocabulary without keeping them. */
export interface TokenFacts {
  /** Whether two tokens have the same text. Empty tokens do not count, because llama.cpp renames them. */
  readonly repeats: boolean;
  /** How many of the 256 byte tokens (`<0x00>` to `<0xFF>`) there are. */
  readonly byteTokens: number;
}

/**
 * The table of the last list. Most models of a folder have vocabularies of a similar length, and clearing a table takes a fraction
 * of the time of a new one. Null while a list uses it.
 */
let spareTable: Int32Array | null = null;
/** A larger table (2 MiB, for 262,144 tokens) is not kept. */
const MAX_SPARE_LENGTH = 2 ** 19;

const WORD_BYTES = 4;
const BYTE_TOKEN = /^<0x[0-9A-Fa-f]{2}>$/;
const BYTE_TOKEN_LENGTH = 6;
/** `<0x` as the first three bytes of a word. */
const BYTE_TOKEN_START = 0x78303c;

/**
 * Compares tokens by two hashes, because texts would take many times the memory and the time of the rest of the header. One hash
 * is a place in a table, the other is kept there: about one in 10^5 vocabularies of 150,000 different tokens has two that look
 * equal. `exactTokenFacts` decides about such a vocabulary.
 */
export class TokenList {
  #table: Int32Array;
  readonly #length: number;
  readonly #byteTokens = new Set<string>();
  #repeats = false;
  #chunks: Buffer[] = [];
  #keptBytes = 0;
  /** Offset in the view after the last string that was added. */
  endOffset = 0;

  /** @param length Number of tokens. */
  constructor(length: number) {
    this.#length = length;
    let size = 16;
    while (size < 2 * length) size *= 2;
    this.#table = spareTable?.length === size ? spareTable.fill(0) : new Int32Array(size);
    spareTable = null;
  }

  /**
   * Must be called after the last token: the next list of the same size uses the table, and the vocabulary becomes the last one.
   * Only the facts can be read then.
   */
  close(littleEndian: boolean): void {
    // Equal hashes are no proof of equal tokens, so the texts of such a vocabulary are compared each time.
    if (!this.#repeats && this.#keptBytes <= MAX_KEPT_BYTES) {
      const bytes = Buffer.concat(this.#chunks);
      lastVocabulary = { length: this.#length, littleEndian, bytes, facts: this.facts };
    }
    this.#chunks = [];
    if (this.#table.length <= MAX_SPARE_LENGTH) spareTable = this.#table;
    this.#table = new Int32Array(0);
  }

  get facts(): TokenFacts {
    return { repeats: this.#repeats, byteTokens: this.#byteTokens.size };
  }

  /**
   * Adds up to `count` strings, each with its length before it, from an offset on. llama.cpp reads a token up to its first zero
   * byte. Must not be called for more tokens than the list has.
   *
   * @returns How many strings were added: fewer where the view ends, or where a length has more than 32 bits.
   */
  add(view: DataView, from: number, count: number, littleEndian: boolean): number {
    const table = this.#table;
    const mask = table.length - 1;
    const [low, high] = littleEndian ? [0, 4] : [4, 0];
    const size = view.byteLength;
    let start = from | 0;
    let repeats = false;
    let added = 0;
    for (; added < count && start + 8 <= size; added += 1) {
      const length = view.getInt32(start + low, littleEndian);
      if (length < 0 || view.getInt32(start + high, littleEndian) !== 0) break;
      if (length > size - start - 8) break;
      let at = (start + 8) | 0;
      const end = (at + length) | 0;
      let a = 0;
      let b = 0;
      for (; at + WORD_BYTES <= end; at = (at + WORD_BYTES) | 0) {
        const word = view.getInt32(at, true);
        if (((word - 0x01010101) & ~word & 0x80808080) !== 0) break;
        a = Math.imul(a ^ word, 0x85ebca6b);
        a ^= a >>> 13;
        b = Math.imul(((b << 5) | (b >>> 27)) ^ word, 0xc2b2ae35);
        b ^= b >>> 15;
      }
      for (; at < end; at = (at + 1) | 0) {
        const byte = view.getUint8(at);
        if (byte === 0) break;
        a = Math.imul(a ^ byte, 0x85ebca6b);
        a ^= a >>> 13;
        b = Math.imul(((b << 5) | (b >>> 27)) ^ byte, 0xc2b2ae35);
        b ^= b >>> 15;
      }
      if (at > start + 8) {
        const kept = b | 1;
        let index = (a ^ (a >>> 16)) & mask;
        while (table[index] !== 0 && table[index] !== kept) index = (index + 1) & mask;
        if (table[index] === kept) repeats = true;
        else table[index] = kept;
      }
      if (
        length === BYTE_TOKEN_LENGTH &&
        (view.getInt32(start + 8, true) & 0xffffff) === BYTE_TOKEN_START
      )
        this.#addByteToken(view, start + 8);
      start = end;
    }
    this.#repeats ||= repeats;
    this.endOffset = start;
    this.#keep(view, from, start);
    return added;
  }

  /** Copies bytes of the view, whose buffer is used again for the next part of the file. */
  #keep(view: DataView, from: number, end: number): void {
    this.#keptBytes += end - from;
    if (this.#keptBytes > MAX_KEPT_BYTES) return;
    this.#chunks.push(Buffer.from(new Uint8Array(view.buffer, view.byteOffset + from, end - from)));
  }

  /** Must be called where a token was skipped: the bytes of the vocabulary are then incomplete. */
  noteSkipped(): void {
    this.#keptBytes = Infinity;
  }

  #addByteToken(view: DataView, offset: number): void {
    let text = '';
    for (let i = 0; i < BYTE_TOKEN_LENGTH; i += 1)
      text += String.fromCharCode(view.getUint8(offset + i));
    if (BYTE_TOKEN.test(text)) this.#byteTokens.add(text.toUpperCase());
  }
}

/** The facts about tokens whose texts are known. */
export function exactTokenFacts(
  tokens: readonly unknown[],
  { byteTokens }: TokenFacts,
): TokenFacts {
  const texts = tokens
    .map((token) => String(token).split('\0', 1)[0])
    .filter((text) => text !== '');
  return { repeats: new Set(texts).size < texts.length, byteTokens };
}
