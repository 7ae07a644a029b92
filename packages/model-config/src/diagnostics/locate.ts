import { isAlias, isMap, isNode, isScalar, isSeq, type Document, type Node, type Pair } from 'yaml';
import type { Finding, PathStep } from './issue.js';

/** A range of the text, in UTF-16 code units. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

const START: TextRange = { start: 0, end: 0 };

/**
 * The range of the text that a finding marks. If the finding's path does not exist, the range of the nearest
 * value around it.
 */
export function locate(document: Document, finding: Finding): TextRange {
  let node: unknown = document.contents;
  let range = START;
  let lastKey: Node | null = null;
  for (const [index, step] of finding.path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    const last = index === finding.path.length - 1;
    if (isMap(node)) {
      const pair = findPair(node.items, step);
      if (pair === null) return startOf(node, lastKey) ?? range;
      lastKey = isNode(pair.key) ? pair.key : null;
      range = rangeOf(pair.key) ?? range;
      node = pair.value;
      if (last && finding.at === 'key') return range;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      lastKey = null;
    } else {
      return range;
    }
    if (last) return valueRange(node) ?? range;
    range = valueRange(node) ?? range;
  }
  return range;
}

function findPair(items: readonly Pair[], step: PathStep): Pair | null {
  // YAML uses the last of several equal keys.
  return (
    items.findLast((pair) => isScalar(pair.key) && String(pair.key.value) === String(step)) ?? null
  );
}

/** The range to mark if a map lacks a field: the key that holds the map, else the first key in the map. */
function startOf(node: { items: readonly Pair[] }, holder: Node | null): TextRange | null {
  return rangeOf(holder) ?? rangeOf(node.items[0]?.key);
}

/**
 * The range of a scalar or of a collection in brackets. For a block collection, the range of its first entry.
 */
function valueRange(node: unknown): TextRange | null {
  if (isMap(node) && node.flow !== true) return rangeOf(node.items[0]?.key) ?? rangeOf(node);
  if (isSeq(node) && node.flow !== true) return valueRange(node.items[0]) ?? rangeOf(node);
  return rangeOf(node);
}

function rangeOf(node: unknown): TextRange | null {
  const range = isNode(node) ? node.range : null;
  return range == null ? null : { start: range[0], end: range[1] };
}
