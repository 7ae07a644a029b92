/** Longest part of the end of an answer that is looked at: usage and the last event are shorter. */
const TAIL_BYTES = 4096;

/** Keeps the last bytes of an answer. Keeps references to chunks and copies nothing until it is read. */
export class AnswerTail {
  #chunks: Buffer[] = [];
  #bytes = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Shifts seldom, so that a stream of small chunks costs little.
    while (this.#chunks.length > 1 && this.#bytes - (this.#chunks[0]?.length ?? 0) >= TAIL_BYTES) {
      this.#bytes -= this.#chunks.shift()?.length ?? 0;
    }
  }

  /** The last bytes as text; the first character may be cut. */
  text(): string {
    const all = Buffer.concat(this.#chunks);
    return all.subarray(Math.max(0, all.length - TAIL_BYTES)).toString('utf8');
  }
}
