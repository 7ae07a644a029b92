import { isMap, type Node, type Pair, type YAMLMap } from 'yaml';
import {
  columnOf,
  type EditValue,
  endOfNode,
  endOfPair,
  inline,
  lineEnd,
  lineEnding,
  lineStart,
  pairOf,
  splice,
} from './yaml-source.js';

/** Replaces the value of a pair; its comment and everything else stay. */
export function replaceValue(text: string, pair: Pair, value: EditValue): string {
  const keyEnd = (pair.key as Node).range?.[1] ?? 0;
  const afterColon = text.indexOf(':', keyEnd) + 1;
  const node = pair.value as Node | null;
  const end = endOfNode(text, node);
  // `key:` with nothing, and values that begin on a line of their own, are written after the colon.
  const ownLine =
    node?.range == null || lineStart(text, node.range[0]) !== lineStart(text, afterColon);
  const start = ownLine || end === null ? afterColon : (node.range?.[0] ?? afterColon);
  return splice(text, start, end ?? afterColon, ownLine ? ` ${inline(value)}` : inline(value));
}

/** Adds a pair at the end of a map; `lines` is how it looks in a block, without indentation. */
export function addPair(text: string, map: YAMLMap, key: string, lines: readonly string[]): string {
  const last = map.items.at(-1);
  if (map.flow === true || last === undefined) {
    const flat = lines.length === 1 ? (lines[0] ?? '') : `${inline(key)}: ${lines.join(' ')}`;
    const closing = text.lastIndexOf('}', (map.range?.[1] ?? 1) - 1);
    if (last === undefined) {
      return splice(text, (map.range?.[0] ?? 0) + 1, closing, ` ${flat} `);
    }
    const end = endOfPair(text, last);
    return splice(text, end, end, `, ${flat}`);
  }
  const indent = ' '.repeat(columnOf(text, (map.items[0]?.key as Node).range?.[0] ?? 0));
  const end = lineEnd(text, endOfPair(text, last));
  const ending = lineEnding(text);
  return splice(text, end, end, lines.map((line) => ending + indent + line).join(''));
}

/**
 * Removes a pair with the comment on its line; comments on lines of their own stay. `null` where the
 * map would be left empty.
 */
export function removePair(text: string, map: YAMLMap, key: string): string | null {
  const pair = pairOf(map, key);
  if (pair === null) return text;
  if (map.items.length === 1) return null;
  const index = map.items.indexOf(pair);
  const start = (pair.key as Node).range?.[0] ?? 0;
  const end = endOfPair(text, pair);
  const next = map.items[index + 1];
  const nextStart = next === undefined ? null : ((next.key as Node).range?.[0] ?? null);
  if (map.flow === true) {
    if (nextStart !== null) return splice(text, start, nextStart, '');
    const previous = map.items[index - 1];
    return splice(text, previous === undefined ? start : endOfPair(text, previous), end, '');
  }
  const firstOfLine = lineStart(text, start);
  // The first field of a list item shares its line with the dash, which has to stay.
  if (text.slice(firstOfLine, start).trim() !== '' && nextStart !== null) {
    return splice(text, start, nextStart, '');
  }
  return removeLines(text, firstOfLine, end);
}

/** Removes whole lines, from the one of `start` to the one of `end`. */
export function removeLines(text: string, start: number, end: number): string {
  const from = lineStart(text, start);
  const to = lineEnd(text, end);
  const after = to + (text.startsWith('\r\n', to) ? 2 : text.startsWith('\n', to) ? 1 : 0);
  return splice(text, from, after, '');
}

/** The map at the top of the document, or `null`. */
export function asMap(node: unknown): YAMLMap | null {
  return isMap(node) ? node : null;
}
