import { isAlias, isMap, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml';
import { formatPath, type PathStep } from '../diagnostics/issue.js';
import { addPair, removePair, replaceValue } from './edit-map.js';
import { checked, type Editable, uneditable } from './editable.js';
import { type EditValue, inline, pairOf } from './yaml-source.js';

/**
 * The text of a `models.yaml` with one field set, or removed where `value` is `null`; everything else
 * stays as it is, byte for byte. Steps of the path are names and indices; a model is named by its key:
 * `['models', 'qwen/qwen3-4b-2507', 'context_window']`, `['switching', 'dwell']`. Sections that are not
 * there are made, those that are left empty are removed.
 *
 * @throws ModelConfigError `CONFIG_INVALID` where the text, or the outcome, is not a valid configuration
 */
export function setConfigField(
  text: string,
  path: readonly PathStep[],
  value: EditValue | null,
): string {
  return checked(text, (source) => {
    const last = path.at(-1);
    if (typeof last !== 'string') throw uneditable(formatPath(path), 'the path must end in a name');
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
  /** Names of maps on the way that are not there. */
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
        'it is an alias, so others would change too',
      );
    }
    if (isSeq(value)) {
      const wanted = path[index + 1];
      const item = value.items.find((held, position) =>
        typeof wanted === 'number' ? position === wanted : keyOf(held) === wanted,
      );
      if (!isMap(item))
        throw uneditable(formatPath(path.slice(0, index + 2)), 'there is no such item');
      map = item;
      index += 1;
    } else if (isMap(value)) {
      map = value;
    } else {
      const missing = path.slice(index);
      if (!missing.every((name) => typeof name === 'string')) {
        throw uneditable(formatPath(path), 'there is no such list');
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
  // Sections of the file are blocks; what is inside a model fits on a line.
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
  throw uneditable(formatPath(path), 'nothing would be left of what holds it');
}
