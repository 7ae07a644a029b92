import { readFileSync } from 'node:fs';
import { writeFileAtomically } from './atomic-file.js';

/** More models than anybody keeps; the ones not asked for are dropped first. */
const MAX_ENTRIES = 1_000;

/** Values by path, each good only for the stamp that it was kept with. Read when first asked for. */
export interface StampedStore<Value> {
  get(path: string, stamp: string): Value | null;
  set(path: string, stamp: string, value: Value): void;
  /** Writes what is new, atomically; nothing where nothing is. */
  save(): SaveOutcome;
}

/** Whether a cache was written. One that cannot be costs time later and is no fault. */
export interface SaveOutcome {
  readonly saved: boolean;
  readonly error: Error | null;
}

interface Entry<Value> {
  readonly stamp: string;
  readonly value: Value;
}

interface Stored<Value> {
  readonly format: number;
  readonly entries: Readonly<Record<string, Entry<Value>>>;
}

/** Opens a store; a file that is missing, damaged or of another format is an empty one. */
export function openStampedStore<Value>(
  file: string,
  format: number,
  isValue: (value: unknown) => value is Value,
): StampedStore<Value> {
  let entries: Map<string, Entry<Value>> | null = null;
  const used = new Set<string>();
  let changed = false;

  function load(): Map<string, Entry<Value>> {
    try {
      const stored = JSON.parse(readFileSync(file, 'utf8')) as Partial<Stored<Value>> | null;
      if (stored?.format !== format || typeof stored.entries !== 'object') return new Map();
      return new Map(
        Object.entries(stored.entries).filter(
          ([, entry]) => typeof entry?.stamp === 'string' && isValue(entry.value),
        ),
      );
    } catch {
      return new Map();
    }
  }

  /** Another process may have saved in the meantime: what it knows and this one does not stays. */
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
        return { saved: false, error: error instanceof Error ? error : new Error(String(error)) };
      }
    },
  };
}
