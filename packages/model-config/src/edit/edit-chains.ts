import { isScalar, isSeq, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { parseModelConfig } from '../parse/parse-model-config.js';
import { addPair, asMap, removePair, replaceValue } from './edit-map.js';
import { checked, type Editable } from './editable.js';
import {
  columnOf,
  dashOffsets,
  endOfKey,
  endOfNode,
  inline,
  lineEnd,
  lineEnding,
  lineStart,
  pairOf,
  splice,
} from './yaml-source.js';

/** See `setFallbackChain` in lazy.ts. */
export function setFallbackChain(
  text: string,
  name: string,
  entries: readonly string[] | null,
): string {
  return checked(text, (source) => {
    const section = pairOf(source.root, 'fallback_chains');
    const chains = asMap(section?.value);
    if (entries === null) return chains === null ? text : removeChain(source, chains, name);
    const pair = chains === null ? null : pairOf(chains, name);
    if (pair !== null) return setEntries(text, pair, entries);
    const line = `${inline(name)}: ${inline(entries)}`;
    if (chains !== null) return addPair(text, chains, name, [line]);
    return addPair(text, source.root, 'fallback_chains', ['fallback_chains:', `  ${line}`]);
  });
}

/**
 * Removes a model from all chains and from the pins, together with its variants that have no
 * configuration of their own.
 */
export function withoutModel(text: string, modelKey: string): string {
  const own = new Set(parseModelConfig(text).config?.models.map((model) => model.modelKey));
  const isEntry = (item: unknown): boolean => {
    const entry = isScalar(item) ? String(item.value) : '';
    return entry === modelKey || (entry.startsWith(`${modelKey}@`) && !own.has(entry));
  };
  let edited = text;
  for (const [section, names] of sectionsWith(text, isEntry)) {
    for (const name of names) edited = dropFrom(edited, section, name, isEntry);
  }
  return edited;
}

function sectionsWith(
  text: string,
  isEntry: (item: unknown) => boolean,
): [section: 'fallback_chains' | 'pins', names: string[]][] {
  const found: ['fallback_chains' | 'pins', string[]][] = [];
  checked(text, ({ root }) => {
    const chains = asMap(pairOf(root, 'fallback_chains')?.value);
    const names = (chains?.items ?? []).flatMap((pair) =>
      isSeq(pair.value) && pair.value.items.some(isEntry) && isScalar(pair.key)
        ? [String(pair.key.value)]
        : [],
    );
    found.push(['fallback_chains', names]);
    const pins = pairOf(root, 'pins')?.value;
    if (isSeq(pins) && pins.items.some(isEntry)) found.push(['pins', ['pins']]);
    return text;
  });
  return found;
}

function dropFrom(
  text: string,
  section: 'fallback_chains' | 'pins',
  name: string,
  isEntry: (item: unknown) => boolean,
): string {
  return checked(text, (source) => {
    const holder =
      section === 'pins' ? source.root : asMap(pairOf(source.root, 'fallback_chains')?.value);
    const pair = holder === null ? null : pairOf(holder, name);
    if (holder === null || pair === null || !isSeq(pair.value)) return text;
    const left = pair.value.items.flatMap((item) =>
      isScalar(item) && !isEntry(item) ? [String(item.value)] : [],
    );
    if (left.length > 0) return setEntries(text, pair, left);
    return section === 'pins'
      ? (removePair(text, holder, name) ?? text)
      : removeChain(source, holder, name);
  });
}

function removeChain({ text, root }: Editable, chains: YAMLMap, name: string): string {
  return removePair(text, chains, name) ?? removePair(text, root, 'fallback_chains') ?? text;
}

function setEntries(text: string, pair: Pair, entries: readonly string[]): string {
  const list: unknown = pair.value;
  if (!isSeq(list) || list.flow === true || list.items.length === 0) {
    return replaceValue(text, pair, entries);
  }
  return rewriteBlock(text, pair, list, entries);
}

/** Writes the lines of a block list in the order of `entries`, with new lines for new entries. */
function rewriteBlock(text: string, pair: Pair, list: YAMLSeq, entries: readonly string[]): string {
  const ending = lineEnding(text);
  const dashes = dashOffsets(list);
  const indent = ' '.repeat(columnOf(text, dashes[0] ?? 0));
  // The list begins on the line after the name, so that a comment above the first entry belongs to this entry.
  const nameEnd = lineEnd(text, endOfKey(pair));
  const start = Math.min(nameEnd + ending.length, lineStart(text, dashes[0] ?? 0));
  const blocks = new Map<string, { comments: string; line: string }>();
  let from = start;
  for (const [index, item] of list.items.entries()) {
    const dash = lineStart(text, dashes[index] ?? 0);
    const end = lineEnd(text, endOfNode(text, item) ?? dash);
    const key = isScalar(item) ? String(item.value) : '';
    blocks.set(key, { comments: text.slice(from, dash), line: text.slice(dash, end) });
    from = end + (text.startsWith('\r\n', end) ? 2 : 1);
  }
  const end = Math.min(from, text.length);
  const wanted = new Set(entries);
  // A comment above a removed entry is kept and moves above the next entry.
  let orphaned = '';
  for (const [key, block] of blocks) {
    if (!wanted.has(key)) orphaned += block.comments;
    else if (orphaned !== '') {
      block.comments = orphaned + block.comments;
      orphaned = '';
    }
  }
  const lines = entries.map((entry) => {
    const block = blocks.get(entry);
    return block === undefined ? `${indent}- ${inline(entry)}` : block.comments + block.line;
  });
  const closing = end === text.length && !text.endsWith('\n') ? '' : ending;
  return splice(text, start, end, lines.join(ending) + closing + orphaned);
}
