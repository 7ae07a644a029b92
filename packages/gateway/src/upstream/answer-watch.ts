/** Longest start of an answer that is kept: identifiers and the first event are shorter. */
const HEAD_BYTES = 2048;
/** Longest end of an answer that is kept: usage and the last event are shorter. */
const TAIL_BYTES = 4096;

/**
 * Keeps the first and last bytes of an answer, and watches for the marks of a whole stream. Keeps references to chunks,
 * and copies only where a mark may lie across two chunks.
 */
export class AnswerWatch {
  readonly #marks: readonly Buffer[];
  readonly #overlap: number;
  #head: Buffer | null = null;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #sawMark = false;

  constructor(marks: readonly string[]) {
    this.#marks = marks.map((mark) => Buffer.from(mark));
    this.#overlap = Math.max(0, ...this.#marks.map((mark) => mark.length - 1));
  }

  /** Whether one of the marks was seen. */
  get sawMark(): boolean {
    return this.#sawMark;
  }

  add(chunk: Buffer): void {
    this.#head ??= chunk.subarray(0, HEAD_BYTES);
    if (!this.#sawMark) this.#sawMark = this.#holdsMark(chunk);
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#chunks.length > 1 && this.#bytes - (this.#chunks[0]?.length ?? 0) >= TAIL_BYTES) {
      this.#bytes -= this.#chunks.shift()?.length ?? 0;
    }
  }

  /** The first bytes, as text. */
  headText(): string {
    return this.#head?.toString('utf8') ?? '';
  }

  /** The last bytes, as text. Its first character may be cut. */
  tailText(): string {
    const all = Buffer.concat(this.#chunks);
    return all.subarray(Math.max(0, all.length - TAIL_BYTES)).toString('utf8');
  }

  #holdsMark(chunk: Buffer): boolean {
    if (this.#marks.some((mark) => chunk.includes(mark))) return true;
    const last = this.#chunks.at(-1);
    if (last === undefined || this.#overlap === 0) return false;
    // Where chunks are shorter than a mark, it may lie across more than two.
    const before =
      last.length >= this.#overlap ? last : Buffer.concat(this.#chunks.slice(-this.#overlap));
    const seam = Buffer.concat([
      before.subarray(Math.max(0, before.length - this.#overlap)),
      chunk.subarray(0, this.#overlap),
    ]);
    return this.#marks.some((mark) => seam.includes(mark));
  }
}
