import { isDeepStrictEqual } from 'node:util';

/** A value of a settings file. */
export type Value =
  string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

/** An entry of a list, found by the value of one of its keys. */
export interface ListEntry {
  readonly key: string;
  readonly is: string;
}

/** The place of a setting: keys of objects, and entries of lists. */
export type SettingPath = readonly (string | ListEntry)[];

/** The path as text, such as `env.ANTHROPIC_MODEL` or `models[name=Mai]`. */
export function pathText(path: SettingPath): string {
  return path
    .map((part) => (typeof part === 'string' ? `.${part}` : `[${part.key}=${part.is}]`))
    .join('')
    .replace(/^\./, '');
}

/** The value at a path. Undefined where it is absent. */
export function valueAt(value: Value | undefined, path: SettingPath): Value | undefined {
  let at = value;
  for (const part of path) at = child(at, part);
  return at;
}

/** How many parts of the path exist, from its start. */
export function existingDepth(value: Value, path: SettingPath): number {
  let depth = 0;
  while (depth < path.length && valueAt(value, path.slice(0, depth + 1)) !== undefined) depth += 1;
  return depth;
}

/** A copy with another value at a path. Undefined removes the path. The original stays as it is. */
export function withValueAt(
  value: Value | undefined,
  path: SettingPath,
  next: Value | undefined,
): Value | undefined {
  const [part, ...rest] = path;
  if (part === undefined) return next;
  const inner = withValueAt(child(value, part), rest, next);
  if (typeof part === 'string') {
    const entries = isObject(value) ? Object.entries(value) : [];
    if (inner === undefined) return Object.fromEntries(entries.filter(([key]) => key !== part));
    return Object.fromEntries([...entries.filter(([key]) => key !== part), [part, inner]]);
  }
  const list = isList(value) ? value : [];
  const index = list.findIndex((entry) => isEntry(entry, part));
  if (inner === undefined) return list.filter((_, at) => at !== index);
  return index < 0 ? [...list, inner] : list.map((entry, at) => (at === index ? inner : entry));
}

/** Whether two values are equal. The order of keys does not count. */
export function sameValue(
  a: Value | SettingPath | undefined,
  b: Value | SettingPath | undefined,
): boolean {
  return isDeepStrictEqual(a, b);
}

/** Whether a value is the text, or a list or an object that contains it. */
export function containsText(value: Value, text: string): boolean {
  if (typeof value !== 'object' || value === null) return value === text;
  return Object.values(value).some((inner: Value) => containsText(inner, text));
}

/** Whether a value is a list. */
export function isList(value: unknown): value is readonly Value[] {
  return Array.isArray(value);
}

/** Whether a value is an object with keys. */
export function isObject(value: unknown): value is { readonly [key: string]: Value } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function child(value: Value | undefined, part: string | ListEntry): Value | undefined {
  if (typeof part === 'string') {
    return isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const entries: readonly Value[] = value;
  return entries.find((entry) => isEntry(entry, part));
}

function isEntry(value: Value, { key, is }: ListEntry): boolean {
  return isObject(value) && value[key] === is;
}
