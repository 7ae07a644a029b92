/** Removes the stop string from a text that is generated token by token. */
export interface StopStringFilter {
  /** Adds a token's text, and returns the part of the text that can be sent now. */
  add(text: string): { readonly text: string; readonly found: string | null };
  /** The text that `add` has not returned yet, because it may be the start of a stop string. */
  rest(): string;
}

/** Cuts a text before the first stop string, which may span several tokens. */
export function createStopStringFilter(stopStrings: readonly string[]): StopStringFilter {
  const wanted = stopStrings.filter((text) => text !== '');
  let held = '';
  return {
    add(text) {
      held += text;
      const hits = wanted
        .map((stop) => ({ stop, at: held.indexOf(stop) }))
        .filter(({ at }) => at >= 0)
        .sort((a, b) => a.at - b.at);
      const [first] = hits;
      const end = first ? first.at : held.length - longestStart(held, wanted);
      const ready = held.slice(0, end);
      held = first ? '' : held.slice(end);
      return { text: ready, found: first?.stop ?? null };
    },
    rest: () => held,
  };
}

// The length of the longest suffix of the text that is a prefix of a stop string.
function longestStart(text: string, stopStrings: readonly string[]): number {
  const longest = Math.max(0, ...stopStrings.map(({ length }) => length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    if (stopStrings.some((stop) => stop.startsWith(text.slice(-length)))) return length;
  }
  return 0;
}
