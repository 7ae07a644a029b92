import {
  Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

// Edits change the text itself, at the offsets that the parsed document gives. Writing the document back
// would keep comments, too, but it would change indentation, line breaks and alignment elsewhere.

/** A value that an edit can write. */
export type EditValue =
  | string
  | number
  | boolean
  | readonly EditValue[]
  | { readonly [field: string]: EditValue | undefined };

/** The line ending of the text: `\r\n` where it has one, `\n` otherwise. */
export function lineEnding(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

/** The offset of the first character of the line. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** The offset of the line break that ends the line. A comment on the line is before it. */
export function lineEnd(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  if (newline < 0) return text.length;
  return text[newline - 1] === '\r' && newline > offset ? newline - 1 : newline;
}

/** Number of characters of the line before the offset. */
export function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

/** The offset of a node's first character; 0 for a node that was not parsed from text. */
export function startOfNode(node: unknown): number {
  return (isNode(node) ? node.range?.[0] : null) ?? 0;
}

/** The offset just after a key. */
export function endOfKey(pair: Pair): number {
  return (isNode(pair.key) ? pair.key.range?.[1] : null) ?? 0;
}

/** The offset just after the colon of a pair. */
export function afterColon(text: string, pair: Pair): number {
  return text.indexOf(':', endOfKey(pair)) + 1;
}

/**
 * The offset just after a node's last character, without a comment that follows; `null` for a
 * node without a position.
 */
export function endOfNode(text: string, node: unknown): number | null {
  if (isMap(node) && node.flow !== true) {
    const last = node.items.at(-1);
    return last === undefined ? null : endOfPair(text, last);
  }
  if (isSeq(node) && node.flow !== true) return endOfNode(text, node.items.at(-1));
  const range = isNode(node) ? node.range : null;
  if (range == null) return null;
  // The range of a block scalar includes its last line break.
  return text[range[1] - 1] === '\n' && range[1] > range[0] ? range[1] - 1 : range[1];
}

/** Like `endOfNode`, for a key and its value. */
export function endOfPair(text: string, pair: Pair): number {
  return Math.max(endOfNode(text, pair.value) ?? 0, afterColon(text, pair));
}

/** The pair with this key; `null` where the map has no such key. */
export function pairOf(map: YAMLMap, key: string): Pair | null {
  return map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key) ?? null;
}

/** The offsets of the dashes of a block list; empty for a list in brackets. */
export function dashOffsets(seq: YAMLSeq): number[] {
  const token = seq.srcToken;
  if (token?.type !== 'block-seq') return [];
  return token.items.flatMap((item) =>
    item.start.filter(({ type }) => type === 'seq-item-ind').map(({ offset }) => offset),
  );
}

/** A value as YAML on one line. It is valid both in a block and in a collection in brackets. */
export function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = definedFields(value).map(([key, held]) => `${inline(key)}: ${inline(held)}`);
    return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
  }
  const document = new Document([value]);
  if (isSeq(document.contents)) document.contents.flow = true;
  return document.toString({ lineWidth: 0 }).trim().replace(/^\[ /, '').replace(/ \]$/, '');
}

/** The fields of an object as YAML, one on each line. Fields that are `undefined` are left out. */
export function fieldLines(fields: object): string[] {
  return definedFields(fields).map(([key, value]) => `${inline(key)}: ${inline(value)}`);
}

function definedFields(value: object): [name: string, value: unknown][] {
  return Object.entries(value).filter(([, held]) => held !== undefined);
}

/** The text with the part from `start` to `end` replaced. */
export function splice(text: string, start: number, end: number, replacement: string): string {
  return text.slice(0, start) + replacement + text.slice(end);
}
