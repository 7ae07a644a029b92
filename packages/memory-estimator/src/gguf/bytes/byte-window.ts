import type { TokenList } from './token-list.js';

/**
 * Thrown where a value reaches past the loaded bytes. It is a constant, because creating error objects would be
 * slow.
 */
export const NEEDS_MORE = Symbol('needs more bytes');

/** Longest string that is skipped with 32-bit arithmetic: position plus length must not overflow. */
const LONG_STRING_BYTES = 2 ** 29;

/**
 * A part of a file in memory, and a reading position in it.
 *
 * Reads are synchronous. A read past the loaded part throws NEEDS_MORE. The caller then loads bytes from
 * `resumeOffset` on, and repeats all reads since the last `checkpoint()`.
 */
export class ByteWindow {
  /** Offset in the file of the next byte to read. */
  offset = 0;
  /** Bytes from `resumeOffset` on that the failed read needs. */
  wanted = 0;
  /** Offset of the last checkpoint. */
  resumeOffset = 0;
  /** Offset of the last string that `skipStrings` passed. */
  stringOffset = 0;
  littleEndian = true;
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #start = 0;
  #end = 0;

  load(bytes: Buffer, start: number): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#start = start;
    this.#end = start + bytes.length;
    this.offset = this.resumeOffset;
  }

  /** Sets the position from which the caller repeats its reads after NEEDS_MORE. */
  checkpoint(): void {
    this.resumeOffset = this.offset;
  }

  uint32(): number {
    const at = this.#take(4);
    return this.littleEndian ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  /** A 64-bit count or length; Infinity above 2^53, so that every limit refuses it. */
  uint64(): number {
    const at = this.#take(8);
    const little = this.littleEndian;
    const low = little ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at + 4);
    const high = little ? this.#bytes.readUInt32LE(at + 4) : this.#bytes.readUInt32BE(at);
    return high < 0x20_0000 ? high * 0x1_0000_0000 + low : Infinity;
  }

  view(length: number): DataView {
    const at = this.#take(length);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, length);
  }

  text(length: number): string {
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  /**
   * Passes the loaded bytes if they equal `bytes` from `from` on, as far as both reach, and returns whether they do. Throws
   * NEEDS_MORE where no byte is loaded.
   */
  passEqual(bytes: Buffer, from: number): boolean {
    const length = Math.min(this.#end - this.offset, bytes.length - from);
    if (length <= 0) this.#shortOf(1);
    const at = this.offset - this.#start;
    if (this.#bytes.compare(bytes, from, from + length, at, at + length) !== 0) return false;
    this.offset += length;
    return true;
  }

  skip(length: number): void {
    this.offset += length;
  }

  /** Skips up to `count` strings, as far as the loaded bytes reach, and returns how many it skipped. */
  skipStrings(count: number): number {
    let passed = this.#skipShortStrings(count);
    if (passed < count && this.offset + 8 <= this.#end) {
      // The loop with 32-bit arithmetic stopped at a huge string. This string is skipped with exact arithmetic.
      this.stringOffset = this.offset;
      const length = this.uint64();
      this.offset += length;
      passed += 1;
    }
    if (passed === 0 && count > 0) this.#shortOf(8);
    return passed;
  }

  /** Uses only 32-bit integers. This halves the time of a header, because most of a header is a vocabulary. */
  #skipShortStrings(count: number): number {
    const view = this.#view;
    const little = this.littleEndian;
    const [low, high] = little ? [0, 4] : [4, 0];
    const last = this.#end - this.#start - 8;
    const from = this.offset - this.#start;
    if (from > last) return 0;
    let at = from | 0;
    let start = at;
    let passed = 0;
    while (passed < count && at <= last) {
      const length = view.getInt32(at + low, little);
      if (length < 0 || length > LONG_STRING_BYTES || view.getInt32(at + high, little) !== 0) break;
      start = at;
      at = (at + 8 + length) | 0;
      passed += 1;
    }
    this.stringOffset = this.#start + start;
    this.offset = this.#start + at;
    return passed;
  }

  /** Adds up to `count` strings to a list, as far as they are loaded, and returns how many it added. Throws NEEDS_MORE if none is loaded. */
  addStrings(count: number, list: TokenList): number {
    const view = this.#view;
    const from = this.offset - this.#start;
    // A caller that goes back in the file may leave the loaded part.
    if (from < 0) this.#shortOf(8);
    const added = list.add(view, from, count, this.littleEndian);
    if (added > 0) {
      this.offset = this.#start + list.endOffset;
      return added;
    }
    const { offset } = this;
    const wanted = 8 + this.uint64();
    this.offset = offset;
    if (offset + wanted > this.#end) this.#shortOf(wanted);
    list.noteSkipped();
    return this.skipStrings(1);
  }

  #take(length: number): number {
    const at = this.offset - this.#start;
    if (at < 0 || this.offset + length > this.#end) this.#shortOf(length);
    this.offset += length;
    return at;
  }

  #shortOf(length: number): never {
    this.wanted = this.offset + length - this.resumeOffset;
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- tells the caller to load, is not a fault
    throw NEEDS_MORE;
  }
}
