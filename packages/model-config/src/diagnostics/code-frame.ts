const LINES_AROUND = 1;
const WIDEST_LINE = 96;
const TAB = '    ';

// East Asian and emoji characters take two columns of a terminal.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/**
 * The line at `startOffset` with its neighbours, and carets under the range from `startOffset` to
 * `endOffset`. Plain text without control characters. A long line is cut to a window around the range.
 */
export function codeFrame(source: string, startOffset: number, endOffset: number): string {
  const lines = source.split(/\r\n|\n|\r/);
  const { line, column } = positionAt(source, startOffset);
  const first = Math.max(0, line - 1 - LINES_AROUND);
  const last = Math.min(lines.length - 1, line - 1 + LINES_AROUND);
  const gutter = String(last + 1).length;
  // The line is cut only if the range would be outside of the window.
  const cutAt =
    column - 1 + Math.min(endOffset - startOffset, WIDEST_LINE / 2) <= WIDEST_LINE
      ? 0
      : column - 1 - WIDEST_LINE / 2;
  const window = (text: string): string => text.slice(cutAt, cutAt + WIDEST_LINE);

  const frame: string[] = [];
  for (let index = first; index <= last; index += 1) {
    const text = lines[index] ?? '';
    const here = index === line - 1;
    frame.push(
      `${here ? '>' : ' '} ${String(index + 1).padStart(gutter)} | ${visible(window(text))}`,
    );
    if (!here) continue;
    const before = visible(window(text).slice(0, column - 1 - cutAt));
    const marked = visible(
      window(text).slice(
        column - 1 - cutAt,
        column - 1 - cutAt + Math.max(1, endOffset - startOffset),
      ),
    );
    frame.push(
      `  ${' '.repeat(gutter)} | ${' '.repeat(columns(before))}${'^'.repeat(Math.max(1, columns(marked)))}`,
    );
  }
  return frame.map((row) => row.trimEnd()).join('\n');
}

/** Line and column from 1, the column in UTF-16 code units. */
export function positionAt(source: string, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (const match of source.matchAll(/\r\n|\n|\r/g)) {
    const next = match.index + match[0].length;
    if (next > offset) break;
    line += 1;
    lineStart = next;
  }
  return { line, column: offset - lineStart + 1 };
}

// The frame is shown on terminals, so escape sequences from the file are removed.
function visible(text: string): string {
  return text.replaceAll('\t', TAB).replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, '\ufffd');
}

function columns(text: string): number {
  let count = 0;
  for (const character of text) count += WIDE.test(character) ? 2 : 1;
  return count;
}
