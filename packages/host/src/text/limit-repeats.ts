/** Shortest time between two showings of the same text, in milliseconds. */
const REPEAT_MS = 60_000;
/** Texts that are remembered. A program has few different warnings. */
const TEXTS_MAX = 100;

/**
 * Wraps a function that shows warnings: the same text is shown at most once a minute. A fault that lasts, such as a full disk,
 * would otherwise repeat its warning with each decision and hide every other line. When a text is shown again, it says how often it
 * was left out.
 *
 * @param tell - called with each text that is shown
 * @param nowMs - the time in milliseconds. It may jump: a text counts as old when it was shown at least a minute before or after
 *   the present time
 */
export function limitRepeats(
  tell: (text: string) => void,
  nowMs: () => number,
): (text: string) => void {
  const shownAt = new Map<string, { readonly atMs: number; leftOut: number }>();
  return (text) => {
    const atMs = nowMs();
    const last = shownAt.get(text);
    if (last !== undefined && Math.abs(atMs - last.atMs) < REPEAT_MS) {
      last.leftOut += 1;
      return;
    }
    // Deleted first, so that the first key of the map is the text that was shown longest ago.
    shownAt.delete(text);
    shownAt.set(text, { atMs, leftOut: 0 });
    const [oldest] = shownAt.keys();
    if (shownAt.size > TEXTS_MAX && oldest !== undefined) shownAt.delete(oldest);
    tell(last === undefined || last.leftOut === 0 ? text : `${text} ${again(last.leftOut)}`);
  };
}

function again(leftOut: number): string {
  return `(${leftOut} more ${leftOut === 1 ? 'time' : 'times'} since this was last shown)`;
}
