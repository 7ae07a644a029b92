/** Names of changed hosts for any number of readers. A slow reader gets each name once, so that nothing piles up. */
export interface ChangeFeed {
  note(host: string): void;
  changes(signal: AbortSignal): AsyncIterable<readonly string[]>;
  /** Ends every reader. */
  close(): void;
}

export function openChangeFeed(): ChangeFeed {
  const readers = new Set<{ names: Set<string>; wake: () => void }>();
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
      const reader = { names: new Set<string>(), wake: () => undefined as void };
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
        }
      } finally {
        ends.removeEventListener('abort', onEnd);
        readers.delete(reader);
      }
    },
  };
}
