/** Delivers events to any number of readers. Each reader has its own queue. */
export interface EventHub<Event> {
  publish(event: Event): void;
  /** Whether there is at least one reader. */
  readonly hasReaders: boolean;
  /** Reads every event that is published from now on. A reader that falls behind loses the oldest events. */
  subscribe(): AsyncIterableIterator<Event>;
  /** Ends every reader after its last event. */
  close(): void;
}

/** @param capacity - how many unread events are kept for each reader. */
export function createEventHub<Event>(capacity: number): EventHub<Event> {
  const readers = new Set<Reader<Event>>();
  let closed = false;
  return {
    get hasReaders() {
      return readers.size > 0;
    },
    publish: (event) => {
      for (const reader of readers) reader.push(event);
    },
    subscribe: () => {
      const reader = new Reader<Event>(capacity, () => readers.delete(reader));
      if (closed) reader.end();
      else readers.add(reader);
      return reader;
    },
    close: () => {
      closed = true;
      for (const reader of readers) reader.end();
      readers.clear();
    },
  };
}

class Reader<Event> implements AsyncIterableIterator<Event> {
  readonly #capacity: number;
  readonly #onReturn: () => void;
  #queue: Event[] = [];
  #waiting: ((result: IteratorResult<Event>) => void)[] = [];
  #ended = false;

  constructor(capacity: number, onReturn: () => void) {
    this.#capacity = capacity;
    this.#onReturn = onReturn;
  }

  push(event: Event): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting({ value: event, done: false });
      return;
    }
    if (this.#queue.length >= this.#capacity) this.#queue.shift();
    this.#queue.push(event);
  }

  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting) waiting({ value: undefined, done: true });
    this.#waiting = [];
  }

  next(): Promise<IteratorResult<Event>> {
    const [event] = this.#queue;
    if (event !== undefined) {
      this.#queue.shift();
      return Promise.resolve({ value: event, done: false });
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<Event>> {
    this.#queue = [];
    this.#onReturn();
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
