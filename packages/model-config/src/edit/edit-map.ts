import { isMap, type Pair, type YAMLMap } from 'yaml';
import {
  afterColon,
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
  startOfNode,
} from './yaml-source.js';

/** Replaces the value of a pair. The pair's comment and everything else stay. */
export function replaceValue(text: string, pair: Pair, value: EditValue): string {
  const colon = afterColon(text, pair);
  const valueStart = startOfNode(pair.value);
  const valueEnd = endOfNode(text, pair.value);
  if (valueEnd !== null && lineStart(text, valueStart) === lineStart(text, colon)) {
    return splice(text, valueStart, valueEnd, inline(value));
  }
  // The pair is `key:` without a value, or its value begins on another line.
  return splice(text, colon, valueEnd ?? colon, ` ${inline(value)}`);
}

/**
 * Adds a pair at the end of a map.
 *
 * @param lines - the lines of the pair in a block, without indentation.
 */
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
  const indent = ' '.repeat(columnOf(text, startOfNode(map.items[0]?.key)));
  const end = lineEnd(text, endOfPair(text, last));
  const ending = lineEnding(text);
  return splice(text, end, end, lines.map((line) => ending + indent + line).join(''));
}

/**
 * Removes a pair with the comment on its line. Comments on lines of their own stay.
 *
 * @returns `null` where the map would be empty.
 */
export function removePair(text: string, map: YAMLMap, key: string): string | null {
  const pair = pairOf(map, key);
  if (pair === null) return text;
  if (map.items.length === 1) return null;
  const index = map.items.indexOf(pair);
  const start = startOfNode(pair.key);
  const end = endOfPair(text, pair);
  const next = map.items[index + 1];
  const nextStart = next === undefined ? null : startOfNode(next.key);
  if (map.flow === true) {
    if (nextStart !== null) return splice(text, start, nextStart, '');
    const previous = map.items[index - 1];
    return splice(text, previous === undefined ? start : endOfPair(text, previous), end, '');
  }
  const firstOfLine = lineStart(text, start);
  // The first field of a list item is on the line of the dash, so only the field is removed.
  if (text.slice(firstOfLine, start).trim() !== '' && nextStart !== null) {
    return splice(text, start, nextStart, '');
  }
  return removeLines(text, firstOfLine, end);
}

/** Removes whole lines: the line of `start`, the line of `end`, and all lines between them. */
export function removeLines(text: string, start: number, end: number): string {
  const from = lineStart(text, start);
  const to = lineEnd(text, end);
  const after = to + (text.startsWith('\r\n', to) ? 2 : text.startsWith('\n', to) ? 1 : 0);
  return splice(text, from, after, '');
}

/** The node where it is a map; `null` otherwise. */
export function asMap(node: unknown): YAMLMap | null {
  return isMap(node) ? node : null;
}
