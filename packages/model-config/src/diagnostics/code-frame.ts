const LINES_AROUND = 1;
const WIDEST_LINE = 96;
const TAB = '    ';

// East Asian and emoji characters take two columns of a terminal.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** A text and the offsets at which its lines begin. A file with many issues is divided into lines once. */
export interface SourceLines {
  readonly source: string;
  readonly starts: readonly number[];
}

/** Divides a text into lines. */
export function divideIntoLines(source: string): SourceLines {
  const starts = [0];
  for (const match of source.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return { source, starts };
}

/**
 * The line at `startOffset` with its neighbours, and carets under the range from `startOffset` to
 * `endOffset`. Plain text without control characters. A long line is cut to a window around the range.
 */
export function codeFrame(lines: SourceLines, startOffset: number, endOffset: number): string {
  const { line, column } = positionAt(lines, startOffset);
  const first = Math.max(0, line - 1 - LINES_AROUND);
  const last = Math.min(lines.starts.length - 1, line - 1 + LINES_AROUND);
  const gutter = String(last + 1).length;
  // The line is cut only if the range would be outside of the window.
  const cutAt =
    column - 1 + Math.min(endOffset - startOffset, WIDEST_LINE / 2) <= WIDEST_LINE
      ? 0
      : column - 1 - WIDEST_LINE / 2;
  const window = (text: string): string => text.slice(cutAt, cutAt + WIDEST_LINE);

  const frame: string[] = [];
  for (let index = first; index <= last; index += 1) {
    const text = textOf(lines, index);
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
export function positionAt(
  { starts }: SourceLines,
  offset: number,
): { readonly line: number; readonly column: number } {
  // The last line that begins at the offset or before it is found by bisection.
  let line = 0;
  let beyond = starts.length;
  while (beyond - line > 1) {
    const middle = Math.floor((line + beyond) / 2);
    if ((starts[middle] ?? 0) <= offset) line = middle;
    else beyond = middle;
  }
  return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
}

/** A line without its line break. */
function textOf({ source, starts }: SourceLines, index: number): string {
  return source.slice(starts[index], starts[index + 1]).replace(/[\r\n]+$/, '');
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
