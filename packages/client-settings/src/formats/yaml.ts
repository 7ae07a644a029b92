import {
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Pair,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { Format } from './format.js';
import { eolOf } from './text.js';
import { isList, isObject, type ListEntry, type Value, valueAt } from './value.js';

/**
 * YAML with settings at the top level, and with lists of objects at the top level. Edits replace only the lines of the
 * setting. (The printer of the library `yaml` would lay out the whole file again.)
 */
export const yaml: Format = {
  parse(text) {
    const document = parseDocument(text);
    const [error] = document.errors;
    if (error?.code === 'MULTIPLE_DOCS') {
      throw new Error('it contains several documents', { cause: error });
    }
    if (error !== undefined) throw error;
    const value: unknown = document.toJS();
    if (value === null || value === undefined) return {};
    if (!isObject(value)) throw new Error('the file does not contain keys with values');
    return value;
  },

  edit(text, path, value) {
    const [key, entry, ...rest] = path;
    if (typeof key !== 'string' || typeof entry === 'string' || rest.length > 0) {
      throw new Error('A path in YAML is a key, or a key and an entry of its list.');
    }
    if (entry === undefined) return editKey(text, key, value);
    return editEntry(text, key, entry, value);
  },
};

function editKey(text: string, key: string, value: Value | undefined): string {
  const span = spanOf(text, key);
  if (value === undefined) return span === null ? text : cut(text, span.lineStart, span.lineEnd);
  const line = `${key}: ${scalarText(value)}`;
  if (span === null) return appendLines(text, line);
  return `${text.slice(0, span.keyStart)}${line}${text.slice(span.valueEnd)}`;
}

function editEntry(text: string, key: string, entry: ListEntry, value: Value | undefined): string {
  const list = listOf(text, key);
  if (list === null || list.items.length === 0) {
    if (value === undefined) return text;
    if (list === null && hasValue(text, key)) throw new Error('The value is not a list.');
    const span = spanOf(text, key);
    const block = [`${key}:`, ...entryLines(value, '  ')].join(eolOf(text));
    if (span === null) return appendLines(text, block);
    return `${text.slice(0, span.keyStart)}${block}${text.slice(span.valueEnd)}`;
  }
  if (list.flow === true) throw new Error('The list is written in brackets.');
  const spans = list.items.map((item) => entrySpan(text, item));
  const values: unknown = list.toJSON();
  const index = !isList(values)
    ? -1
    : values.findIndex((item) => valueAt([item], [entry]) !== undefined);
  const indent = spans[0]?.indent ?? '  ';
  const lines = value === undefined ? '' : entryLines(value, indent).join(eolOf(text));
  const span = spans[index];
  if (span !== undefined) {
    if (value === undefined && list.items.length === 1) return editKey(text, key, []);
    if (value === undefined) return cut(text, span.start, span.lineEnd);
    return `${text.slice(0, span.start)}${lines}${text.slice(span.end)}`;
  }
  const last = spans.at(-1);
  if (value === undefined || last === undefined) return text;
  const head = text.slice(0, last.lineEnd);
  const separator = head.endsWith('\n') ? '' : eolOf(text);
  return `${head}${separator}${lines}${eolOf(text)}${text.slice(last.lineEnd)}`;
}

/** The lines of a new list entry: an object of scalars, and of lists of scalars. */
function entryLines(value: Value, indent: string): string[] {
  if (!isObject(value)) throw new Error('An entry is an object.');
  return Object.entries(value).map(
    ([key, inner], index) => `${indent}${index === 0 ? '- ' : '  '}${key}: ${scalarText(inner)}`,
  );
}

/** Texts that YAML 1.1, which Python programs read, takes for true and false. */
const BOOLEAN_WORD = /^(?:y|n|yes|no|on|off|true|false)$/i;

/** A plain scalar where YAML reads it back as the same text, else JSON, which is valid YAML. */
function scalarText(value: Value): string {
  if (isList(value)) return `[${value.map(scalarText).join(', ')}]`;
  if (typeof value !== 'string' || !/^[A-Za-z](?:[\w ./:()-]*[\w)])?$/.test(value)) {
    return JSON.stringify(value);
  }
  const plain = !BOOLEAN_WORD.test(value) && parseDocument(value).toJS() === value;
  return plain ? value : JSON.stringify(value);
}

interface Span {
  readonly keyStart: number;
  readonly valueEnd: number;
  readonly lineStart: number;
  readonly lineEnd: number;
}

/** Where a key of the top level and its value stand. Null: the key is absent. */
function spanOf(text: string, key: string): Span | null {
  const pair = pairOf(text, key);
  if (pair === null || !isScalar(pair.key)) return null;
  const { range: keyRange } = pair.key;
  const valueRange = rangeOf(pair.value);
  if (keyRange === null || keyRange === undefined) return null;
  const keyStart = keyRange[0];
  // A key without a value ends at its colon.
  const colon = text.indexOf(':', keyRange[1]) + 1;
  const valueEnd = endOf(text, Math.max(colon, valueRange?.[1] ?? 0));
  const lineStart = text.lastIndexOf('\n', keyStart - 1) + 1;
  if (text.slice(lineStart, keyStart).trim() !== '') throw new Error('The key shares its line.');
  return { keyStart, valueEnd, lineStart, lineEnd: lineEndOf(text, valueEnd) };
}

/** Where an entry of a list stands, from the start of its line. */
interface EntrySpan {
  readonly indent: string;
  readonly start: number;
  readonly end: number;
  readonly lineEnd: number;
}

function entrySpan(text: string, item: unknown): EntrySpan {
  const range = rangeOf(item);
  if (range === null) throw new Error('The entry has no place.');
  const start = text.lastIndexOf('\n', range[0] - 1) + 1;
  const indent = /^(\s*)- /.exec(text.slice(start, range[0]))?.[1];
  if (indent === undefined) throw new Error('The entry does not start with a dash on its line.');
  const end = endOf(text, range[1]);
  return { indent, start, end, lineEnd: lineEndOf(text, end) };
}

function pairOf(text: string, key: string): Pair | null {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) return null;
  const map: YAMLMap = contents;
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key) ?? null;
}

function listOf(text: string, key: string): YAMLSeq | null {
  const value = pairOf(text, key)?.value;
  return isSeq(value) ? value : null;
}

function hasValue(text: string, key: string): boolean {
  const value = pairOf(text, key)?.value ?? null;
  return value !== null && !(isScalar(value) && value.value === null);
}

function rangeOf(node: unknown): readonly [number, number, number] | null {
  return isNode(node) ? (node.range ?? null) : null;
}

/** The end of a value without the line break and the white space that the parser includes in it. */
function endOf(text: string, offset: number): number {
  return text.slice(0, offset).trimEnd().length;
}

/** The start of the next line. */
function lineEndOf(text: string, offset: number): number {
  const at = text.indexOf('\n', offset);
  return at < 0 ? text.length : at + 1;
}

function cut(text: string, start: number, end: number): string {
  return text.slice(0, start) + text.slice(end);
}

function appendLines(text: string, lines: string): string {
  const eol = eolOf(text);
  const separator = text === '' || text.endsWith('\n') ? '' : eol;
  return `${text}${separator}${lines}${eol}`;
}
