import {
  Document,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

// Edits are made in the text itself, at the places that the parsed document points to. Writing the
// document back would keep the comments too, but re-indent, re-wrap and re-align what nobody touched.

/** A value that an edit may write. */
export type EditValue =
  | string
  | number
  | boolean
  | readonly EditValue[]
  | { readonly [field: string]: EditValue | undefined };

/** The line ending that the text uses. */
export function lineEnding(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

/** Offset of the first character of the line. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** Offset just before the line's ending, a trailing comment included. */
export function lineEnd(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  if (newline < 0) return text.length;
  return text[newline - 1] === '\r' && newline > offset ? newline - 1 : newline;
}

/** Spaces that begin the line. */
export function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

/** Offset just after the last character of a node, without the comment that may follow it. */
export function endOfNode(text: string, node: unknown): number | null {
  if (isMap(node) && node.flow !== true) {
    const last = node.items.at(-1);
    return last === undefined ? null : endOfPair(text, last);
  }
  if (isSeq(node) && node.flow !== true) return endOfNode(text, node.items.at(-1));
  const range = (node as Node | null)?.range;
  if (range == null) return null;
  // A block scalar ends with its last line break.
  return text[range[1] - 1] === '\n' && range[1] > range[0] ? range[1] - 1 : range[1];
}

/** As `endOfNode`, for a key with its value. */
export function endOfPair(text: string, pair: Pair): number {
  const key = (pair.key as Node).range;
  const value = endOfNode(text, pair.value);
  const afterColon = text.indexOf(':', key?.[1] ?? 0) + 1;
  return Math.max(value ?? 0, afterColon);
}

/** The pair of this key, or `null`. */
export function pairOf(map: YAMLMap, key: string): Pair | null {
  return map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key) ?? null;
}

/** Offset of the dash of each item of a block list. */
export function dashOffsets(seq: YAMLSeq): number[] {
  const token = seq.srcToken;
  if (token?.type !== 'block-seq') return [];
  return token.items.flatMap((item) =>
    item.start.filter(({ type }) => type === 'seq-item-ind').map(({ offset }) => offset),
  );
}

/** A value on one line, as it may stand in a block or in a flow collection. */
export function inline(value: EditValue): string {
  if (Array.isArray(value)) return `[${(value as readonly EditValue[]).map(inline).join(', ')}]`;
  if (typeof value === 'object') {
    const fields = definedFields(value).map(([key, held]) => `${inline(key)}: ${inline(held)}`);
    return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
  }
  const document = new Document([value]);
  if (isSeq(document.contents)) document.contents.flow = true;
  return document.toString({ lineWidth: 0 }).trim().replace(/^\[ /, '').replace(/ \]$/, '');
}

/** The fields of a map, one a line; what they hold is written inline. */
export function fieldLines(fields: { readonly [field: string]: EditValue | undefined }): string[] {
  return definedFields(fields).map(([key, value]) => `${inline(key)}: ${inline(value)}`);
}

function definedFields(value: object): [string, EditValue][] {
  return Object.entries(value as Record<string, EditValue | undefined>).flatMap(([key, held]) =>
    held === undefined ? [] : [[key, held] as [string, EditValue]],
  );
}

/** The text with the part from `start` to `end` replaced. */
export function splice(text: string, start: number, end: number, replacement: string): string {
  return text.slice(0, start) + replacement + text.slice(end);
}
