import { readFileSync } from 'node:fs';
import { writeFileAtomically, type SaveOutcome } from '../files/atomic-file.js';
import { isJsonObject } from '../files/json-object.js';
import { asError } from '../files/system-error.js';

/**
 * Maximum number of entries, which is more models than a person keeps. Unused entries are dropped first.
 */
const MAX_ENTRIES = 1_000;

/**
 * Values in a file, by the path of a model or by another text. The file is read on first use. A value is valid for the
 * stamp that it was set with.
 */
export interface StampedStore<Value> {
  /** The value with this stamp; `null` if the store does not have it. */
  get(path: string, stamp: string): Value | null;
  set(path: string, stamp: string, value: Value): void;
  /** Writes new values to the file, atomically, beside those of other processes. Does nothing where no value is new. Never throws. */
  save(): SaveOutcome;
}

interface Entry<Value> {
  readonly stamp: string;
  readonly value: Value;
}

/**
 * Opens a store of at most 1,000 values. A file that is missing, damaged or of another format is an empty store.
 *
 * @param format - the version of the stored form
 * @param isValue - whether a value of the file has the type of this store; other values are left out
 */
export function openStampedStore<Value>(
  file: string,
  format: number,
  isValue: (value: unknown) => value is Value,
): StampedStore<Value> {
  let entries: Map<string, Entry<Value>> | null = null;
  const used = new Set<string>();
  let changed = false;

  function load(): Map<string, Entry<Value>> {
    const loaded = new Map<string, Entry<Value>>();
    try {
      const stored: unknown = JSON.parse(readFileSync(file, 'utf8'));
      if (!isJsonObject(stored) || stored['format'] !== format || !isJsonObject(stored['entries']))
        return loaded;
      for (const [path, entry] of Object.entries(stored['entries'])) {
        if (!isJsonObject(entry)) continue;
        const { stamp, value } = entry;
        if (typeof stamp === 'string' && isValue(value)) loaded.set(path, { stamp, value });
      }
      return loaded;
    } catch {
      return loaded;
    }
  }

  /** Adds entries that another process has saved, and sorts used entries to the front. */
  function merged(own: ReadonlyMap<string, Entry<Value>>): [string, Entry<Value>][] {
    const all = load();
    for (const [path, entry] of own) if (used.has(path) || !all.has(path)) all.set(path, entry);
    return [...all].sort(([a], [b]) => Number(used.has(b)) - Number(used.has(a)));
  }

  return {
    get(path, stamp) {
      entries ??= load();
      used.add(path);
      const entry = entries.get(path);
      return entry?.stamp === stamp ? entry.value : null;
    },
    set(path, stamp, value) {
      entries ??= load();
      used.add(path);
      entries.set(path, { stamp, value });
      changed = true;
    },
    save() {
      if (entries === null || !changed) return { saved: false, error: null };
      try {
        const kept = Object.fromEntries(merged(entries).slice(0, MAX_ENTRIES));
        writeFileAtomically(file, JSON.stringify({ format, entries: kept }));
        changed = false;
        return { saved: true, error: null };
      } catch (error) {
        return { saved: false, error: asError(error) };
      }
    },
  };
}
