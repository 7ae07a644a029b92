import { ellipsisOf, safeText, truncate } from '@mai/host';
import type { Output } from './output.js';

/** A block of lines that is redrawn in place. The last frame stays on the screen. */
export interface LiveView {
  /** Draws the next frame over the last one. */
  readonly show: (text: string) => void;
  /** Shows the cursor again. */
  readonly close: () => void;
}

const HIDE_CURSOR = '\u001b[?25l';
/** Also written by a process that ends without closing its view. */
export const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** On a terminal, draws each frame over the last one. Elsewhere, writes each frame below the last one. */
export function createLiveView(output: Pick<Output, 'stdout' | 'unicode'>): LiveView {
  const { stdout: stream, unicode } = output;
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
  return {
    show: (text) => {
      const width = stream.columns ?? 80;
      // One row stays free, because a line feed in the last row would scroll the view.
      const lines = text
        .trimEnd()
        .split('\n')
        .slice(0, (stream.rows ?? 24) - 1);
      // After a resize the terminal has rewrapped the old lines, so their number is only an
      // estimate.
      const up = shownLines === 0 ? '' : `\u001b[${shownLines}A\r`;
      // One write for each frame, so that no incomplete frame is visible.
      const fit = (line: string) => truncate(safeText(line, true), width, ellipsisOf(unicode));
      const frame = lines.map((line) => `${fit(line)}${CLEAR_LINE}\n`).join('');
      stream.write(HIDE_CURSOR + up + frame + CLEAR_BELOW);
      shownLines = lines.length;
    },
    close: () => {
      stream.write(SHOW_CURSOR);
    },
  };
}
