/** A statement of a TOML file with its line break, or a line without a statement. */
export interface TomlLine {
  readonly start: number;
  /** Start of the next line. */
  readonly end: number;
  /** End of the statement, before a comment. */
  readonly contentEnd: number;
  /** Name of the table that this line opens, without quotes and spaces. */
  readonly table: string | null;
  /** Name of the table that this line is in. Null at the top level. */
  readonly inTable: string | null;
  /** The bare key that this line sets. */
  readonly key: string | null;
  /** Offset of the opening brace where the key has an inline table; null otherwise. */
  readonly inlineTable: number | null;
  readonly blank: boolean;
}

/** Splits a TOML file into statements. A statement with a long string or an array may span several lines. */
export function tomlLines(text: string): readonly TomlLine[] {
  const lines: TomlLine[] = [];
  let inTable: string | null = null;
  for (let start = 0; start < text.length;) {
    const { contentEnd, end } = statementEnd(text, start);
    const content = text.slice(start, contentEnd).trim();
    const header = /^\[\[?([^[\]]+)\]\]?$/.exec(content)?.[1];
    const table: string | null = header === undefined ? null : header.replaceAll(/["'\s]/g, '');
    inTable = table ?? inTable;
    const key = table === null ? (/^([\w-]+)\s*=/.exec(content)?.[1] ?? null) : null;
    // A dotted or quoted key is a statement, too.
    const other = table === null && key === null && content !== '' ? content : null;
    const value = /^[\w-]+\s*=\s*(?=\{)/.exec(content)?.[0] ?? null;
    const indent = text.slice(start).search(/\S/);
    const inlineTable = value === null ? null : start + indent + value.length;
    const blank = text.slice(start, end).trim() === '';
    lines.push({ start, end, contentEnd, table, inTable, key: key ?? other, inlineTable, blank });
    start = end;
  }
  return lines;
}

/** Where the statement that starts at `start` ends: before its comment, and with its line break. */
function statementEnd(text: string, start: number): { contentEnd: number; end: number } {
  let depth = 0;
  let at = start;
  let contentEnd = start;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === '\n' && depth === 0) return { contentEnd, end: at + 1 };
    if (character === '#') {
      const lineEnd = text.indexOf('\n', at);
      at = lineEnd < 0 ? text.length : lineEnd;
      continue;
    }
    if (character === '"' || character === "'") {
      at = stringEnd(text, at, character);
      contentEnd = at;
      continue;
    }
    if (character === '[' || character === '{') depth += 1;
    if (character === ']' || character === '}') depth -= 1;
    at += 1;
    if (character.trim() !== '') contentEnd = at;
  }
  return { contentEnd, end: text.length };
}

/** The offset after a string that starts at `start`. */
export function stringEnd(text: string, start: number, quote: '"' | "'"): number {
  const long = quote.repeat(3);
  const mark = text.startsWith(long, start) ? long : quote;
  let at = start + mark.length;
  while (at < text.length && !text.startsWith(mark, at)) {
    at += quote === '"' && text.charAt(at) === '\\' ? 2 : 1;
  }
  at += mark.length;
  // A long string may end with one or two quotes of its own.
  while (mark === long && text.charAt(at) === quote) at += 1;
  return at;
}
