import {
  applyEdits,
  findNodeAtLocation,
  modify,
  parse,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import type { Format } from './format.js';
import { BYTE_ORDER_MARK, withoutMark } from './text.js';
import { isObject, type SettingPath, type Value } from './value.js';

/** JSON with comments and trailing commas. */
export const jsonc: Format = {
  parse(text) {
    const content = withoutMark(text);
    const errors: ParseError[] = [];
    const value: unknown = parse(content, errors, { allowTrailingComma: true });
    const [error] = errors;
    if (error !== undefined && value !== undefined) throw syntaxError(content, error);
    if (value === undefined) {
      if (hasContent(content) && error !== undefined) throw syntaxError(content, error);
      return {};
    }
    if (!isObject(value)) throw new Error('the file does not contain an object');
    return value;
  },

  edit(text, path, value) {
    const content = withoutMark(text);
    const mark = content.length < text.length ? BYTE_ORDER_MARK : '';
    const start = hasContent(content) ? content : `${content.trimEnd()}\n{}\n`.trimStart();
    const keys = keysOf(path);
    const options = {
      ...indentationOf(content),
      eol: content.includes('\r\n') ? '\r\n' : '\n',
    };
    const added = value === undefined ? null : addAfterComment(start, keys, value, options);
    if (added !== null) return mark + added;
    return mark + applyEdits(start, modify(start, keys, value, { formattingOptions: options }));
  },
};

interface Layout {
  readonly insertSpaces: boolean;
  readonly tabSize: number;
  readonly eol: string;
}

/**
 * Adds a setting to an object whose last setting has a comment on its line. `modify` would insert the new setting
 * before that comment. Null: the setting exists, or there is no such comment.
 */
function addAfterComment(
  text: string,
  keys: readonly string[],
  value: Value,
  layout: Layout,
): string | null {
  const root = parseTree(text);
  if (root === undefined) return null;
  // The longest path that exists.
  let depth = 0;
  while (depth < keys.length && findNodeAtLocation(root, keys.slice(0, depth + 1))) depth += 1;
  const object = findNodeAtLocation(root, keys.slice(0, depth));
  const missing = keys.slice(depth);
  const last = object?.type === 'object' ? object.children?.at(-1) : undefined;
  const [first, ...inner] = missing;
  if (first === undefined || last === undefined) return null;
  const end = last.offset + last.length;
  const found = /^([ \t]*,)?[ \t]*(?:\/\/[^\r\n]*|\/\*[^\r\n]*?\*\/)(?=[ \t]*\r?\n)/.exec(
    text.slice(end),
  );
  if (found === null) return null;
  const [tail, comma] = found;
  const lineStart = text.lastIndexOf('\n', last.offset) + 1;
  const indent = /^[ \t]*/.exec(text.slice(lineStart))?.[0] ?? '';
  const unit = layout.insertSpaces ? ' '.repeat(layout.tabSize) : '\t';
  const nested = inner.reduceRight<Value>((all, key) => ({ [key]: all }), value);
  const json = JSON.stringify(nested, null, unit).replaceAll('\n', `${layout.eol}${indent}`);
  const setting = `${indent}${JSON.stringify(first)}: ${json}${comma === undefined ? '' : ','}`;
  const head = `${text.slice(0, end)}${comma === undefined ? ',' : ''}${tail}`;
  return `${head}${layout.eol}${setting}${text.slice(end + tail.length)}`;
}

function keysOf(path: SettingPath): string[] {
  return path.map((part) => {
    if (typeof part !== 'string') throw new Error('A path in JSON has keys only.');
    return part;
  });
}

/** Whether a text has more than comments and white space. */
function hasContent(text: string): boolean {
  return text.replaceAll(/\/\/[^\n]*|\/\*[^]*?\*\//g, '').trim() !== '';
}

function indentationOf(text: string): { insertSpaces: boolean; tabSize: number } {
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  return indent.startsWith('\t')
    ? { insertSpaces: false, tabSize: 4 }
    : { insertSpaces: true, tabSize: indent.length };
}

function syntaxError(text: string, { error, offset }: ParseError): Error {
  const before = text.slice(0, offset).split('\n');
  const column = (before.at(-1) ?? '').length + 1;
  return new Error(`${printParseErrorCode(error)} in line ${before.length}, column ${column}`);
}
