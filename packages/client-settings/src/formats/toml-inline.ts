import { stringEnd } from './toml-lines.js';

/** An entry of an inline table: `key = value`. */
interface InlineEntry {
  /** The key, without quotes. A dotted key has its dots. */
  readonly key: string;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/** An inline table, `{ a = 1, b = { c = 2 } }`, by its offsets in the text. */
interface InlineTable {
  /** Offset behind the opening brace. */
  readonly start: number;
  /** Offset of the closing brace. */
  readonly end: number;
  readonly entries: readonly InlineEntry[];
}

/**
 * Sets or removes an entry of the inline table at `open`, or of one inside it.
 *
 * @param open - offset of the opening brace
 * @param keys - path from this table to the entry
 * @param value - the entry as TOML; undefined removes it
 */
export function editInline(
  text: string,
  open: number,
  [key, ...rest]: readonly string[],
  value: string | undefined,
): string {
  if (key === undefined) throw new Error('The path is empty.');
  const table = inlineTable(text, open);
  const index = table.entries.findIndex((entry) => entry.key === key);
  const found = table.entries[index];
  if (rest.length > 0) {
    if (found !== undefined) return editInline(text, found.valueStart, rest, value);
    if (value === undefined) return text;
    return addEntry(text, table, `${[key, ...rest].join('.')} = ${value}`);
  }
  if (found === undefined) {
    return value === undefined ? text : addEntry(text, table, `${key} = ${value}`);
  }
  if (value !== undefined) return replaced(text, found.valueStart, found.end, value);
  return removeEntry(text, table, index);
}

function addEntry(text: string, { start, end, entries }: InlineTable, entry: string): string {
  const last = entries.at(-1);
  return last === undefined
    ? replaced(text, start, end, ` ${entry} `)
    : replaced(text, last.end, last.end, `, ${entry}`);
}

/** Removes an entry with the comma that parts it from its neighbour. */
function removeEntry(text: string, { start, end, entries }: InlineTable, index: number): string {
  const [before, own, after] = [entries[index - 1], entries[index], entries[index + 1]];
  if (own === undefined) return text;
  if (before !== undefined) return replaced(text, before.end, own.end, '');
  return after === undefined
    ? replaced(text, start, end, '')
    : replaced(text, own.start, after.start, '');
}

function replaced(text: string, start: number, end: number, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}

/** @throws Error where no inline table stands at this offset */
function inlineTable(text: string, open: number): InlineTable {
  if (text.charAt(open) !== '{') throw new Error('The value is not an inline table.');
  const entries: InlineEntry[] = [];
  let depth = 0;
  let [start, equals] = [open + 1, -1];
  const close = (at: number): void => {
    if (equals >= 0) entries.push(entryIn(text, start, equals, at));
    [start, equals] = [at + 1, -1];
  };
  for (let at = open + 1; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '"' || character === "'") at = stringEnd(text, at, character) - 1;
    else if (character === '{' || character === '[') depth += 1;
    else if (depth > 0) depth -= character === '}' || character === ']' ? 1 : 0;
    else if (character === '=' && equals < 0) equals = at;
    else if (character === ',') close(at);
    else if (character === '}') {
      close(at);
      return { start: open + 1, end: at, entries };
    }
  }
  throw new Error('The inline table has no end.');
}

/** The entry between two commas, without the spaces around it. */
function entryIn(text: string, start: number, equals: number, end: number): InlineEntry {
  const leading = (from: number, to: number): number => {
    const part = text.slice(from, to);
    return from + part.length - part.trimStart().length;
  };
  return {
    key: text.slice(start, equals).replaceAll(/["'\s]/g, ''),
    start: leading(start, equals),
    valueStart: leading(equals + 1, end),
    end: start + text.slice(start, end).trimEnd().length,
  };
}
