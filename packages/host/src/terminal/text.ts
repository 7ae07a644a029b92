const ESC = '\u001b';
const SGR_PATTERN = new RegExp(`${ESC}\\[[0-9;]*m`, 'g');
// Characters that take no column: combining marks, variation selectors, joiners, controls.
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]$/u;
// Emoji, and the blocks that Unicode's EastAsianWidth.txt lists as wide or full-width.
const WIDE =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{20000}-\u{3fffd}]$/u;
const JOINER = '\u200d';
const EMOJI_SELECTOR = '\ufe0f';

/**
 * Columns that a text takes in a terminal. SGR sequences take no column. Replaces the library
 * string-width, which builds an `Intl.Segmenter` at import. That takes a fifth of the time that
 * `mai status` may take. The tests compare both functions.
 */
export function textWidth(text: string): number {
  const plain = text.includes(ESC) ? text.replace(SGR_PATTERN, '') : text;
  if (isPlain(plain)) return plain.length;
  let width = 0;
  let last = 0;
  let joined = false;
  for (const character of plain) {
    if (character === EMOJI_SELECTOR && last === 1) {
      width += 1;
      last = 2;
    }
    // A joiner merges the characters on both sides into one glyph.
    if (!joined && !ZERO_WIDTH.test(character)) {
      last = WIDE.test(character) ? 2 : 1;
      width += last;
    }
    joined = character === JOINER;
  }
  return width;
}

/**
 * Whether every character takes one column: ASCII, Latin letters, dashes, arrows, box drawing,
 * block elements and the two check marks. Most texts pass this check, which avoids compiling the
 * larger patterns.
 */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const plain =
      (code >= 0x20 && code <= 0x7e) ||
      (code >= 0xa1 && code <= 0x2ff && code !== 0xad) ||
      (code >= 0x2010 && code <= 0x2027) ||
      (code >= 0x2190 && code <= 0x21ff) ||
      (code >= 0x2500 && code <= 0x25fc) ||
      code === 0x2713 ||
      code === 0x2717;
    if (!plain) return false;
  }
  return true;
}

/** Adds spaces after a text, up to `width` columns. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/** Adds spaces before a text, up to `width` columns. */
export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - textWidth(text))) + text;
}

/** The mark of a cut. Terminals without Unicode get three dots. */
export function ellipsisOf(unicode: boolean): string {
  return unicode ? '…' : '...';
}

/** Cuts a text to `width` columns, the ellipsis included. Colours that are open at the cut are closed. */
export function truncate(text: string, width: number, ellipsis = '…'): string {
  if (textWidth(text) <= width) return text;
  const room = width - textWidth(ellipsis);
  if (room < 0) return '';
  let used = 0;
  let kept = '';
  let cut = false;
  for (const part of text.split(new RegExp(`(${ESC}\\[[0-9;]*m)`))) {
    if (part.startsWith(ESC)) {
      // After the cut, only sequences that close a colour are kept.
      if (!cut || isClosing(part)) kept += part;
      continue;
    }
    for (const character of cut ? '' : part) {
      const columns = textWidth(character);
      if (used + columns > room) {
        kept += ellipsis;
        cut = true;
        break;
      }
      used += columns;
      kept += character;
    }
  }
  return kept;
}

/** Cuts the middle of a text. For names whose two ends matter, such as model keys and paths. */
export function truncateMiddle(text: string, width: number, ellipsis = '…'): string {
  if (textWidth(text) <= width) return text;
  const room = width - textWidth(ellipsis);
  if (room < 2 || text.includes(ESC)) return truncate(text, width, ellipsis);
  const characters = [...text];
  const tail = takeColumns(characters.reverse(), Math.ceil(room / 2)).reverse();
  const head = takeColumns([...text], Math.floor(room / 2));
  return head.join('') + ellipsis + tail.join('');
}

/** A space that may become a line break. The space between a figure and its unit may not. */
const BREAK = / (?!%|[KMGT]iB)/;

/** A command in a sentence, such as `mai select --load`. */
const COMMAND = /`[^`]+`/g;
/** Stands for a space that may not become a line break. */
const KEPT_SPACE = '\u0000';

/**
 * Breaks a text at spaces into lines of at most `width` columns. Longer words stay whole, and so do commands in backticks of at most
 * half a line.
 */
export function wrap(text: string, width: number): string[] {
  return text
    .split('\n')
    .flatMap((paragraph) => fillLines(piecesOf(paragraph, width / 2), ' ', width));
}

function piecesOf(paragraph: string, longestCommand: number): readonly string[] {
  if (!paragraph.includes('`')) return paragraph.split(BREAK);
  return paragraph
    .replace(COMMAND, (command) =>
      command.length > longestCommand ? command : command.replaceAll(' ', KEPT_SPACE),
    )
    .split(BREAK)
    .map((piece) => piece.replaceAll(KEPT_SPACE, ' '));
}

/** Joins pieces into lines of at most `width` columns. Longer pieces stay whole. */
export function fillLines(pieces: readonly string[], separator: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const piece of pieces) {
    const longer = line === '' ? piece : line + separator + piece;
    if (line !== '' && textWidth(longer) > width) {
      lines.push(line);
      line = piece;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

/** Puts a label before a text and wraps both to `width` columns. Later lines are indented by the label. */
export function wrapBehind(label: string, text: string, width: number): string[] {
  const indent = ' '.repeat(textWidth(label));
  return wrap(text, width - indent.length).map(
    (line, index) => (index === 0 ? label : indent) + line,
  );
}

function isClosing(sequence: string): boolean {
  return new RegExp(`^${ESC}\\[(0|22|39)m$`).test(sequence);
}

function takeColumns(characters: readonly string[], columns: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const character of characters) {
    used += textWidth(character);
    if (used > columns) break;
    taken.push(character);
  }
  return taken;
}
