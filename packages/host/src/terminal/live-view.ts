import { safeText } from './safe-text.js';
import { ellipsisOf, textWidth, truncate } from './text.js';

/** Where a live view is drawn. */
export interface LiveScreen {
  readonly stdout: {
    write(text: string): void;
    readonly isTTY: boolean;
    /** Null where they are not known. */
    readonly columns: number | null;
    readonly rows: number | null;
  };
  /** Whether the terminal can show characters beyond ASCII. */
  readonly unicode: boolean;
}

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
export function createLiveView({ stdout: stream, unicode }: LiveScreen): LiveView {
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
  /** Columns of each line of the last frame. */
  let shown: readonly number[] = [];
  return {
    show: (text) => {
      const width = stream.columns ?? 80;
      // One row stays free, because a line feed in the last row would scroll the view.
      const lines = text
        .trimEnd()
        .split('\n')
        .slice(0, (stream.rows ?? 24) - 1);
      // Where the window has become narrower, the terminal has wrapped the old lines.
      const rows = shown.reduce((sum, columns) => sum + Math.max(1, Math.ceil(columns / width)), 0);
      const up = rows === 0 ? '' : `\u001b[${rows}A\r`;
      // Cleared before the text, because after a line of full width the cursor stands on its last character. One write for each
      // frame, so that no incomplete frame is visible.
      const fit = (line: string) => truncate(safeText(line, true), width, ellipsisOf(unicode));
      const fitting = lines.map(fit);
      const frame = fitting.map((line) => `${CLEAR_LINE}${line}\n`).join('');
      stream.write(HIDE_CURSOR + up + frame + CLEAR_BELOW);
      shown = fitting.map(textWidth);
    },
    close: () => {
      stream.write(SHOW_CURSOR);
    },
  };
}
