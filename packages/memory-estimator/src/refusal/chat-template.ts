import type { GgufHeader } from '../gguf/gguf-header.js';
import { printable } from '../gguf/bytes/checked-reader.js';

/** The metadata of the templates that the engine parses at the load. */
const KEYS = ['tokenizer.chat_template', 'tokenizer.chat_template.tool_use'];

/** Statements that begin a block, and the statement that ends it. */
const BLOCKS = new Map(
  ['if', 'for', 'macro', 'call', 'filter'].map((name) => [name, `end${name}`] as const),
);
/** Statements without a block. The engine ignores `generation`. */
const SINGLE = new Set('set break continue generation endgeneration'.split(' '));
/** Statements that say something about an expression. */
const WITH_EXPRESSION = /^(if|elif|for|set|macro|call|filter)$/;
/** The characters of a tag outside of strings. */
const CHARACTERS = /^[\w\s()[\]{},.:|=<>+\-*/%~]*$/;
/** An operator at the end of an expression. */
const OPEN_END = /(?:[.|~+\-*/%<=,]|(?<![.\w])(?:and|or|not|in|is|if|else))$/;
/** A string, at the place where the search begins. */
const STRING = /(["'])(?:\\[^]|(?!\1)[^\\])*\1/y;
const TAG = /\{[{%#]/g;
/** Two values side by side. Words between values are operators. */
const SIDE_BY_SIDE =
  /(?<![\w.])(?!(?:and|or|not|in|is|if|else)\b)\w+\s+(?!(?:and|or|not|in|is|if|else)\b)\w/;

/**
 * Why llama.cpp's Jinja parser cannot parse a chat template, so that the embedded engine aborts at the load; `null` where no fault
 * is found. Each rule was tried with build 10257 of llama.cpp (llama.node 1.7.15). Not every fault of an expression is found.
 */
export function findTemplateFault({ metadata }: GgufHeader): string | null {
  for (const key of KEYS) {
    const template = metadata.get(key);
    const fault = typeof template === 'string' ? faultOf(template) : null;
    if (fault !== null) return `${key}: ${fault}`;
  }
  return null;
}

function faultOf(template: string): string | null {
  // The engine loads the model, and aborts when it is asked for the template.
  if (template === '') return 'it is empty';
  /** The statements that the open blocks wait for. */
  const open: { readonly end: string; readonly name: string; hasElse: boolean }[] = [];
  for (let at = 0; at < template.length;) {
    TAG.lastIndex = at;
    const from = TAG.exec(template)?.index;
    if (from === undefined) break;
    const tag = readTag(template, from);
    if (typeof tag === 'string') return tag;
    at = tag.end;
    const fault =
      tag.kind === '{' ? expressionFault(tag) : tag.kind === '%' ? statementFault(tag, open) : null;
    if (fault !== null) return fault;
  }
  const unclosed = open.at(-1);
  return unclosed === undefined ? null : `its {% ${unclosed.name} %} has no {% ${unclosed.end} %}`;
}

interface Tag {
  readonly kind: '{' | '%' | '#';
  /** The text without strings: each string is `""`. */
  readonly text: string;
  readonly end: number;
}

/** The tag that begins at an offset, or why it is not one. */
function readTag(template: string, from: number): Tag | string {
  const kind = template[from + 1];
  if (kind === '#') {
    const end = template.indexOf('#}', from + 2);
    return end === -1 ? notClosed(template, from) : { kind, text: '', end: end + 2 };
  }
  const close = kind === '%' ? '%}' : '}}';
  let text = '';
  let braces = 0;
  for (let at = from + 2; at < template.length; at += 1) {
    const one = template[at] ?? '';
    if (one === '"' || one === "'") {
      STRING.lastIndex = at;
      const string = STRING.exec(template)?.[0];
      if (string === undefined) return notClosed(template, at);
      at += string.length - 1;
      text += '""';
      continue;
    }
    if (braces === 0 && template.startsWith(close, at)) {
      const inner = text.replace(/^-/, '').replace(/-$/, '').trim();
      return { kind: kind === '%' ? '%' : '{', text: inner, end: at + 2 };
    }
    if (one === '{') braces += 1;
    if (one === '}') braces -= 1;
    text += one;
  }
  return notClosed(template, from);
}

function notClosed(template: string, from: number): string {
  return `"${printable(template.slice(from, from + 20))}" is not closed`;
}

function expressionFault({ text }: Tag): string | null {
  return (
    syntaxFault(text) ??
    (text === '' || (SIDE_BY_SIDE.test(text) && !/\bis\b/.test(text))
      ? `"{{ ${printable(text)} }}" is not an expression`
      : null)
  );
}

function statementFault(
  { text }: Tag,
  open: { readonly end: string; readonly name: string; hasElse: boolean }[],
): string | null {
  const name = /^[A-Za-z_]\w*/.exec(text)?.[0] ?? '';
  const rest = text.slice(name.length).trim();
  const shown = `{% ${printable(text)} %}`;
  const block = open.at(-1);
  if (name === block?.end) {
    open.pop();
    return name === 'endif' && rest !== '' ? `"${shown}" has more than its name` : null;
  }
  if (name === 'else' || name === 'elif') {
    if (block?.name !== 'if' && !(block?.name === 'for' && name === 'else'))
      return `"${shown}" belongs to no {% if %}`;
    if (name === 'else' && block.name === 'if' && block.hasElse)
      return 'an {% if %} has two {% else %}';
    block.hasElse ||= name === 'else';
  } else {
    const end = name === 'set' && !assigns(rest) ? 'endset' : BLOCKS.get(name);
    if (end === undefined && !SINGLE.has(name))
      return `llama.cpp does not have the statement "${shown}", or it does not belong here`;
    if (end !== undefined) open.push({ end, name, hasElse: false });
  }
  return WITH_EXPRESSION.test(name) && rest === ''
    ? `"${shown}" lacks its expression`
    : syntaxFault(rest);
}

/** Whether a `set` has a value. Without a value it begins a block. */
function assigns(text: string): boolean {
  let flat = text;
  for (let last = ''; last !== flat;) {
    last = flat;
    flat = flat.replace(/\([^()[\]{}]*\)|\[[^()[\]{}]*\]|\{[^()[\]{}]*\}/g, '');
  }
  return /(?<![=!<>])=(?!=)/.test(flat);
}

function syntaxFault(text: string): string | null {
  const shown = printable(text);
  if (!CHARACTERS.test(text.replaceAll('!=', '').replaceAll('""', '')))
    return `"${shown}" has a character that no expression has`;
  if (text !== '' && OPEN_END.test(text)) return `"${shown}" ends in the middle`;
  const closing: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
  const brackets: string[] = [];
  for (const one of text) {
    if ('([{'.includes(one)) brackets.push(one);
    else if (closing[one] !== undefined && brackets.pop() !== closing[one])
      return `"${shown}" has a bracket too many`;
  }
  return brackets.length === 0 ? null : `"${shown}" has a bracket that is not closed`;
}
