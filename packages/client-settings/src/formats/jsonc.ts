import { applyEdits, modify, parse, type ParseError, printParseErrorCode } from 'jsonc-parser';
import type { Format } from './format.js';
import { isObject, type SettingPath } from './value.js';

const BYTE_ORDER_MARK = '\uFEFF';

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
    const edits = modify(start, keysOf(path), value, {
      formattingOptions: {
        ...indentationOf(content),
        eol: content.includes('\r\n') ? '\r\n' : '\n',
      },
    });
    return mark + applyEdits(start, edits);
  },
};

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

function withoutMark(text: string): string {
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
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
