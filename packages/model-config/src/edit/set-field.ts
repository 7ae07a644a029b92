import { isAlias, isMap, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml';
import { formatPath, type PathStep } from '../diagnostics/issue.js';
import { addPair, removePair, replaceValue } from './edit-map.js';
import { checked, type Editable, uneditable } from './editable.js';
import { type EditValue, inline, pairOf } from './yaml-source.js';

/** See `setConfigField` in lazy.ts. */
export function setConfigField(
  text: string,
  path: readonly PathStep[],
  value: EditValue | null,
): string {
  return checked(text, (source) => {
    const last = path.at(-1);
    if (typeof last !== 'string')
      throw uneditable(formatPath(path), 'the path must end with the name of a field');
    const { map, missing } = descend(source, path.slice(0, -1));
    if (value === null) return missing.length > 0 ? text : remove(source, path);
    if (missing.length > 0) return addSection(source, map, missing, last, value);
    const pair = pairOf(map, last);
    return pair === null
      ? addPair(text, map, last, [`${inline(last)}: ${inline(value)}`])
      : replaceValue(text, pair, value);
  });
}

interface Place {
  readonly map: YAMLMap;
  /** The names of the maps on the path that do not exist. */
  readonly missing: readonly string[];
}

function descend({ root }: Editable, path: readonly PathStep[]): Place {
  let map = root;
  for (let index = 0; index < path.length; index += 1) {
    const step = path[index] ?? '';
    const pair = typeof step === 'string' ? pairOf(map, step) : null;
    const value: unknown = pair?.value;
    if (isAlias(value)) {
      throw uneditable(
        formatPath(path.slice(0, index + 1)),
        'it is an alias (*name), and the edit would change every section that uses the alias, so write the section out first',
      );
    }
    if (isSeq(value)) {
      const wanted = path[index + 1];
      const item = value.items.find((held, position) =>
        typeof wanted === 'number' ? position === wanted : keyOf(held) === wanted,
      );
      if (!isMap(item))
        throw uneditable(
          formatPath(path.slice(0, index + 2)),
          'the list has no such item, so add the item first',
        );
      map = item;
      index += 1;
    } else if (isMap(value)) {
      map = value;
    } else {
      const missing = path.slice(index);
      if (!missing.every((name) => typeof name === 'string')) {
        throw uneditable(formatPath(path), 'there is no such list, so add the list first');
      }
      return { map, missing };
    }
  }
  return { map, missing: [] };
}

function keyOf(item: unknown): unknown {
  const key = isMap(item) ? pairOf(item, 'key')?.value : null;
  return isScalar(key) ? key.value : null;
}

function addSection(
  { text, root }: Editable,
  map: YAMLMap,
  missing: readonly string[],
  field: string,
  value: EditValue,
): string {
  const [first = '', ...inner] = missing;
  const nested = inner.reduceRight<EditValue>((held, name) => ({ [name]: held }), {
    [field]: value,
  });
  const existing: Pair | null = pairOf(map, first);
  if (existing !== null) return replaceValue(text, existing, nested);
  // A section of the file is written as a block. A section of a model fits on one line.
  const lines =
    map === root && inner.length === 0
      ? [`${inline(first)}:`, `  ${inline(field)}: ${inline(value)}`]
      : [`${inline(first)}: ${inline(nested)}`];
  return addPair(text, map, first, lines);
}

function remove(source: Editable, path: readonly PathStep[]): string {
  for (let length = path.length; length > 0; length -= 1) {
    const name = path[length - 1];
    if (typeof name !== 'string') break;
    const { map } = descend(source, path.slice(0, length - 1));
    const edited = removePair(source.text, map, name);
    if (edited !== null) return edited;
  }
  throw uneditable(
    formatPath(path),
    'the section with this field would be empty, and the section is required',
  );
}
