import type { OutputStream } from '../io.js';
import { safeText } from './safe-text.js';
import { truncate } from './text.js';

/** A block of lines that is redrawn in place; the last one stays on the screen. */
export interface LiveView {
  readonly show: (text: string) => void;
  /** Gives the terminal back as it was found. */
  readonly close: () => void;
}

const HIDE_CURSOR = '\u001b[?25l';
/** What `close` writes, for an end that leaves no time for closing anything. */
export const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Redraws on a terminal; writes block after block, with an empty line between, anywhere else. */
export function createLiveView(stream: OutputStream): LiveView {
  if (!stream.isTTY) {
    let first = true;
    return {
      show: (text) => {
        stream.write(first ? text : `\n${text}`);
        first = false;
      },
      close: () => undefined,
    };
  }
  let shownLines = 0;
  stream.write(HIDE_CURSOR);
  return {
    show: (text) => {
      const width = stream.columns ?? 80;
      // One row stays free: a line feed in the last one would scroll the view.
      const lines = text
        .trimEnd()
        .split('\n')
        .slice(0, (stream.rows ?? 24) - 1);
      // A resized terminal re-wraps old lines; what is above the view then can't be known.
      const up = shownLines === 0 ? '' : `\u001b[${shownLines}A\r`;
      // One write for each frame, so that no half of it is ever seen.
      stream.write(
        up +
          lines.map((line) => `${truncate(safeText(line, true), width)}${CLEAR_LINE}\n`).join('') +
          CLEAR_BELOW,
      );
      shownLines = lines.length;
    },
    close: () => {
      stream.write(SHOW_CURSOR);
    },
  };
}
