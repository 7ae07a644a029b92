import { pause, type Clock } from '../clock.js';

/**
 * Names of changed hosts for any number of readers. A reader gets the first change at once and later ones at most ten
 * times a second, each name once, so that a thousand hosts cost the reader little.
 */
export interface ChangeFeed {
  note(host: string): void;
  changes(signal: AbortSignal): AsyncIterable<readonly string[]>;
  /** Ends every reader. */
  close(): void;
}

const MIN_INTERVAL_MS = 100;

/** The hosts that changed since a reader last took them, and the function that wakes it. */
interface Reader {
  readonly names: Set<string>;
  wake: () => void;
}

export function openChangeFeed(clock: Clock): ChangeFeed {
  const readers = new Set<Reader>();
  const closed = new AbortController();
  return {
    note: (host) => {
      for (const reader of readers) {
        reader.names.add(host);
        reader.wake();
      }
    },
    close: () => closed.abort(),
    changes: async function* (signal) {
      const reader: Reader = { names: new Set(), wake: () => undefined };
      const ends = AbortSignal.any([signal, closed.signal]);
      const onEnd = (): void => reader.wake();
      ends.addEventListener('abort', onEnd);
      readers.add(reader);
      try {
        while (!ends.aborted) {
          if (reader.names.size === 0)
            await new Promise<void>((resolve) => {
              reader.wake = resolve;
            });
          if (reader.names.size === 0) continue;
          const names = [...reader.names];
          reader.names.clear();
          yield names;
          await pause(clock, MIN_INTERVAL_MS, ends);
        }
      } finally {
        ends.removeEventListener('abort', onEnd);
        readers.delete(reader);
      }
    },
  };
}
