/** Longest start of an answer that is kept: identifiers and the first event are shorter. */
const HEAD_BYTES = 2048;

/** Keeps the first and last bytes of an answer. Keeps references to chunks, and copies only what is asked for. */
export class AnswerWatch {
  readonly #tailBytes: number;
  #head: Buffer | null = null;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isWhole = true;

  /** @param tailBytes - how many of the last bytes are kept, at least */
  constructor(tailBytes: number) {
    this.#tailBytes = tailBytes;
  }

  add(chunk: Buffer): void {
    this.#head ??= chunk;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Kept up to twice the length: shortening at each small chunk would cost more time.
    if (this.#bytes > 2 * this.#tailBytes && this.#chunks.length > 1) this.#forget();
  }

  /** Whether the last bytes are the whole answer. */
  get isWhole(): boolean {
    return this.#isWhole && this.#bytes <= this.#tailBytes;
  }

  /** The first bytes, as text. */
  headText(): string {
    return this.#head?.toString('utf8', 0, HEAD_BYTES) ?? '';
  }

  /** The last bytes, as text. Its first character may be cut. */
  tailText(): string {
    const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    if (all === undefined) return '';
    return all.toString('utf8', Math.max(0, all.length - this.#tailBytes));
  }

  #forget(): void {
    let from = 0;
    this.#isWhole = false;
    for (const chunk of this.#chunks) {
      if (this.#bytes - chunk.length < this.#tailBytes) break;
      this.#bytes -= chunk.length;
      from += 1;
    }
    this.#chunks = this.#chunks.slice(from);
  }
}
