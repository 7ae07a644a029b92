/** Longest start of an answer that is kept: identifiers and the first event are shorter. */
const HEAD_BYTES = 2048;
/** Longest start of an event that is kept. Its name stands there, also after an `id` and a `retry`. */
const EVENT_START_BYTES = 256;
/** A blank line ends an event, and may be split between two chunks. So this many bytes of the last chunk are kept. */
const EDGE_BYTES = 3;
const NOTHING: Buffer = Buffer.alloc(0);
const [LINE_FEED, CARRIAGE_RETURN] = [0x0a, 0x0d];

/** Keeps the first and last bytes of an answer. Keeps references to chunks, and copies only what is asked for. */
export class AnswerWatch {
  readonly #tailBytes: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isWhole = true;
  /** The start of the last event that began in forgotten bytes, as far as it was forgotten. */
  #eventStart = NOTHING;
  /** The last forgotten bytes. */
  #edge = NOTHING;

  /** @param tailBytes - how many of the last bytes are kept, at least */
  constructor(tailBytes: number) {
    this.#tailBytes = tailBytes;
  }

  add(chunk: Buffer): void {
    if (this.#headBytes < HEAD_BYTES) {
      this.#head.push(chunk);
      this.#headBytes += chunk.length;
    }
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
    return joined(this.#head).toString('utf8', 0, HEAD_BYTES);
  }

  /** The last bytes, as text. Its first character may be cut. */
  tailText(): string {
    const all = joined(this.#chunks);
    return all.toString('utf8', Math.max(0, all.length - this.#tailBytes));
  }

  /** The first bytes of the last event of a stream, as text: also of an event that is longer than what is kept. */
  lastEventStart(): string {
    const all = joined([this.#edge, ...this.#chunks]);
    let end = all.length;
    while (all[end - 1] === LINE_FEED || all[end - 1] === CARRIAGE_RETURN) end -= 1;
    const at = lastEventIn(all.subarray(0, end));
    const from = at === null ? joined([this.#eventStart, ...this.#chunks]) : all.subarray(at);
    return from.toString('utf8', 0, EVENT_START_BYTES);
  }

  #forget(): void {
    let from = 0;
    this.#isWhole = false;
    for (const chunk of this.#chunks) {
      if (this.#bytes - chunk.length < this.#tailBytes) break;
      this.#bytes -= chunk.length;
      from += 1;
    }
    this.#rememberEvent(this.#chunks.slice(0, from));
    this.#chunks = this.#chunks.slice(from);
  }

  #rememberEvent(forgotten: readonly Buffer[]): void {
    const all = joined([this.#edge, ...forgotten]);
    const at = lastEventIn(all);
    if (at !== null) this.#eventStart = copyOf(all.subarray(at, at + EVENT_START_BYTES));
    else if (this.#eventStart.length < EVENT_START_BYTES) {
      const longer = joined([this.#eventStart, ...forgotten]);
      this.#eventStart = copyOf(longer.subarray(0, EVENT_START_BYTES));
    }
    this.#edge = copyOf(all.subarray(-EDGE_BYTES));
  }
}

/** The index behind the last blank line, where an event begins; null without one. Lines end with LF, CR or both. */
function lastEventIn(bytes: Buffer): number | null {
  const at = Math.max(
    behindLast(bytes, '\n\n'),
    behindLast(bytes, '\n\r\n'),
    behindLast(bytes, '\r\r'),
  );
  return at === -1 ? null : at;
}

function behindLast(bytes: Buffer, mark: string): number {
  const at = bytes.lastIndexOf(mark);
  return at === -1 ? -1 : at + mark.length;
}

function joined(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
}

/** A part alone, without the memory of the whole. */
function copyOf(part: Buffer): Buffer {
  return Buffer.from(part);
}
