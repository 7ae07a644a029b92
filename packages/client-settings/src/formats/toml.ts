import { parse, type TomlValue } from 'smol-toml';
import type { Format } from './format.js';
import { eolOf, withoutMark } from './text.js';
import { isObject, type SettingPath, type Value } from './value.js';
import { editInline } from './toml-inline.js';
import { tomlLines, type TomlLine } from './toml-lines.js';

/**
 * TOML with settings at the top level, in tables, in inline tables, and with tables of scalars. Edits replace only the line of the
 * setting, the table, or the entry of the inline table.
 */
export const toml: Format = {
  parse(text) {
    // TOML's integers have 64 bits. Those that a number cannot hold are not refused.
    return valueOf(parse(withoutMark(text), { integersAsBigInt: 'asNeeded' }));
  },

  edit(text, path, value) {
    const keys = keysOf(path);
    const [key] = keys;
    if (key === undefined) throw new Error('The path is empty.');
    const content = withoutMark(text);
    const mark = text.slice(0, text.length - content.length);
    const inline = inlineOver(content, keys);
    if (inline !== null) {
      const entry = value === undefined ? undefined : inlineText(value);
      return mark + editInline(content, inline.open, inline.rest, entry);
    }
    if (keys.length === 1 && !isTable(content, key)) return mark + editRootKey(content, key, value);
    const isTableOfLines =
      isObject(value) || (value === undefined && isTable(content, keys.join('.')));
    return isTableOfLines && lineOf(content, keys)?.inlineTable == null
      ? mark + editTable(content, keys, value)
      : mark + editTableKey(content, keys, value);
  },
};

/**
 * Dates and long integers, which JSON lacks, become texts: this package does not edit them, and only compares them before and after
 * an edit.
 */
function valueOf(toml: TomlValue): Value {
  if (typeof toml === 'bigint') return String(toml);
  if (typeof toml !== 'object') return toml;
  if (toml instanceof Date) return toml.toISOString();
  if (Array.isArray(toml)) return toml.map(valueOf);
  return Object.fromEntries(Object.entries(toml).map(([key, value]) => [key, valueOf(value)]));
}

function isTable(text: string, key: string): boolean {
  return tomlLines(text).some(
    ({ table }) => table === key || table?.startsWith(`${key}.`) === true,
  );
}

/** The inline table that has the path in it, and the rest of the path from there; null without one. */
function inlineOver(
  text: string,
  keys: readonly string[],
): { readonly open: number; readonly rest: readonly string[] } | null {
  for (let depth = 1; depth < keys.length; depth += 1) {
    const open = lineOf(text, keys.slice(0, depth))?.inlineTable ?? null;
    if (open !== null) return { open, rest: keys.slice(depth) };
  }
  return null;
}

/** The line that sets the key at a path, in the table before it. */
function lineOf(text: string, keys: readonly string[]): TomlLine | null {
  const table = keys.length === 1 ? null : keys.slice(0, -1).join('.');
  const key = keys.at(-1);
  return tomlLines(text).find((line) => line.inTable === table && line.key === key) ?? null;
}

function editRootKey(text: string, key: string, value: Value | undefined): string {
  const lines = tomlLines(text);
  const firstTable = lines.findIndex(({ table }) => table !== null);
  const root = lines.slice(0, firstTable < 0 ? lines.length : firstTable);
  const found = root.find((line) => line.key === key);
  if (value === undefined) return found === undefined ? text : cut(text, found);
  const statement = `${key} = ${scalarText(value)}`;
  if (found !== undefined) {
    return `${text.slice(0, found.start)}${statement}${text.slice(found.contentEnd)}`;
  }
  const last = root.findLast((line) => line.key !== null);
  if (last !== undefined) return insert(text, last.end, `${statement}${eolOf(text)}`);
  // A comment at the start of the file stays there, unless it belongs to the first table.
  const at = root.findLast((line) => line.blank)?.end ?? (firstTable < 0 ? text.length : 0);
  const gap = firstTable < 0 ? '' : eolOf(text);
  return insert(text, at, `${statement}${eolOf(text)}${gap}`);
}

function editTable(text: string, keys: readonly string[], value: Value | undefined): string {
  const lines = tomlLines(text);
  const name = keys.join('.');
  const own = (line: TomlLine) => line.inTable === name || line.inTable?.startsWith(`${name}.`);
  const mine = lines.filter(
    (line) => own(line) === true && (line.table !== null || line.key !== null),
  );
  const [first] = mine;
  const block = value === undefined ? '' : tableText(keys, value, eolOf(text));
  if (first === undefined) return value === undefined ? text : appended(text, block);
  let edited = '';
  let at = 0;
  for (const line of mine) {
    edited += text.slice(at, line.start) + (line === first ? block : '');
    at = line.end;
  }
  const rest = text.slice(at);
  // Also remove the blank line before the table.
  if (value === undefined) edited = edited.replace(/(\r?\n)(?:[ \t]*\r?\n)+$/, '$1');
  return edited + rest;
}

/** Edits one key of a table, and leaves its other keys. */
function editTableKey(text: string, keys: readonly string[], value: Value | undefined): string {
  const table = keys.slice(0, -1).join('.');
  const key = keys.at(-1) ?? '';
  const lines = tomlLines(text).filter(({ inTable }) => inTable === table);
  const found = lines.find((line) => line.key === key);
  if (value === undefined) return found === undefined ? text : cut(text, found);
  const statement = `${key} = ${inlineText(value)}`;
  if (found !== undefined) {
    return `${text.slice(0, found.start)}${statement}${text.slice(found.contentEnd)}`;
  }
  const last = lines.findLast((line) => line.key !== null || line.table !== null);
  if (last !== undefined) return insert(text, last.end, `${statement}${eolOf(text)}`);
  return appended(text, tableText(keys.slice(0, -1), { [key]: value }, eolOf(text)));
}

/** The text with a table at its end. */
function appended(text: string, table: string): string {
  const head = text === '' || text.endsWith('\n') ? text : `${text}${eolOf(text)}`;
  const gap = head.trim() === '' ? '' : eolOf(text);
  return `${head}${gap}${table}`;
}

function tableText(keys: readonly string[], value: Value, eol: string): string {
  if (!isObject(value)) throw new Error('A table is an object.');
  const settings = Object.entries(value).map(([key, inner]) => `${key} = ${scalarText(inner)}`);
  return [`[${keys.join('.')}]`, ...settings, ''].join(eol);
}

/** A value inside an inline table. */
function inlineText(value: Value): string {
  if (!isObject(value)) return scalarText(value);
  const entries = Object.entries(value).map(([key, inner]) => `${key} = ${inlineText(inner)}`);
  return `{ ${entries.join(', ')} }`;
}

/** JSON strings, numbers and booleans are valid TOML. */
function scalarText(value: Value): string {
  if (typeof value === 'object') throw new Error('The value is not a scalar.');
  return JSON.stringify(value);
}

function keysOf(path: SettingPath): string[] {
  return path.map((part) => {
    if (typeof part !== 'string' || !/^[\w-]+$/.test(part)) {
      throw new Error('A path in TOML has bare keys only.');
    }
    return part;
  });
}

function cut(text: string, { start, end }: TomlLine): string {
  return text.slice(0, start) + text.slice(end);
}

function insert(text: string, at: number, added: string): string {
  const head = text.slice(0, at);
  const separator = head === '' || head.endsWith('\n') ? '' : eolOf(text);
  return `${head}${separator}${added}${text.slice(at)}`;
}
