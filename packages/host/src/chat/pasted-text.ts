import { StringDecoder } from 'node:string_decoder';
import { plural } from '../words.js';

// Bracketed paste: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html. The terminal puts these marks around a text that is
// pasted.
const BEGIN = '\u001b[200~';
const END = '\u001b[201~';
const CTRL_C = '\u0003';
/** Control characters without tabs and line breaks. */
const CONTROL_RANGES = '\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f';
const CONTROLS = new RegExp(`[${CONTROL_RANGES}]`, 'g');
/** Longest pasted text, in characters, that is put into the line as it is. */
const LONGEST_INLINE = 200;

/** Keeps pasted texts apart from what is typed. */
export interface PastedText {
  /**
   * The input for the line editor. A pasted text of several lines, or a long one, is replaced by a short name. Otherwise each
   * of its lines would be a question of its own.
   */
  readonly take: (chunk: string | Uint8Array) => string;
  /** The line with each name replaced by its text. */
  readonly expand: (line: string) => string;
}

/** Creates the store for one session. It keeps every text, because the history of the editor can bring a name back. */
export function createPastedText(): PastedText {
  const decoder = new StringDecoder('utf8');
  const texts = new Map<string, string>();
  /** The start of a mark at the end of the last chunk. */
  let held = '';
  /** The part of a pasted text that has arrived; null outside of a pasted text. */
  let pasted: string | null = null;

  const insert = (raw: string): string => {
    const text = raw.replace(/\r\n?/g, '\n').replace(CONTROLS, '').replace(/\n+$/, '');
    const lines = text.split('\n').length;
    if (lines === 1 && text.length <= LONGEST_INLINE) return text;
    const size = lines === 1 ? plural(text.length, 'character') : plural(lines, 'line');
    const name = `[pasted text ${texts.size + 1}, ${size}]`;
    texts.set(name, text);
    return name;
  };

  return {
    take: (chunk) => {
      let rest = held + (typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk)));
      let typed = '';
      for (;;) {
        if (pasted === null) {
          const at = rest.indexOf(BEGIN);
          if (at === -1) {
            held = startOf(BEGIN, rest);
            return typed + rest.slice(0, rest.length - held.length);
          }
          typed += rest.slice(0, at);
          rest = rest.slice(at + BEGIN.length);
          pasted = '';
        }
        const [end, cancel] = [rest.indexOf(END), rest.indexOf(CTRL_C)];
        // A terminal that never sends the end must not take Ctrl-C away.
        if (cancel !== -1 && (end === -1 || cancel < end)) {
          pasted = null;
          rest = rest.slice(cancel);
        } else if (end === -1) {
          held = startOf(END, rest);
          pasted += rest.slice(0, rest.length - held.length);
          return typed;
        } else {
          typed += insert(pasted + rest.slice(0, end));
          pasted = null;
          rest = rest.slice(end + END.length);
        }
      }
    },
    expand: (line) => {
      let whole = line;
      for (const [name, text] of texts) whole = whole.replaceAll(name, () => text);
      return whole;
    },
  };
}

/** The longest end of `text` with which `mark` begins. */
function startOf(mark: string, text: string): string {
  for (let length = mark.length - 1; length > 0; length -= 1) {
    if (text.endsWith(mark.slice(0, length))) return mark.slice(0, length);
  }
  return '';
}
