import { readFileSync, statSync } from 'node:fs';
import { asModelFileError } from '../gguf/byte-source.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { readGgufHeader } from '../gguf/read-gguf-header.js';
import { splitFiles } from '../gguf/split-files.js';
import { writeFileAtomically } from './atomic-file.js';
import { decodeHeader, encodeHeader, type EncodedHeader } from './header-codec.js';

/** Raised when the stored form changes; an older file is then written anew. */
const FORMAT = 1;
/** More models than anybody keeps; the ones not asked for are dropped first. */
const MAX_ENTRIES = 1_000;

/** Headers that were read before, kept in a file. */
export interface HeaderCache {
  /**
   * The header of a model file: from the cache where no file of the model has changed in size or time, from
   * the file otherwise. Strings above 1,024 characters (chat templates) are missing from a cached header.
   *
   * @throws ModelFileError as readGgufHeader does.
   */
  read(path: string, options?: { readonly signal?: AbortSignal }): Promise<GgufHeader>;
  /**
   * Writes what was read anew, atomically; nothing where nothing was. A cache that cannot be written costs
   * time later and is no fault: it is told in the answer.
   */
  save(): { readonly saved: boolean; readonly error: Error | null };
}

interface Entry {
  /** Size and time of change of each file of the model. */
  readonly stamp: string;
  /** The header as JSON text, so that only the ones asked for are parsed. */
  readonly header: string;
}

interface StoredCache {
  readonly format: number;
  readonly entries: Readonly<Record<string, Entry>>;
}

/** Opens a header cache; a file that is missing, damaged or of another version is an empty cache. */
export function openHeaderCache(options: { readonly file: string }): HeaderCache {
  const { file } = options;
  const entries = load(file);
  const used = new Set<string>();
  let changed = false;
  return {
    async read(path, { signal } = {}) {
      const stamp = stampOf(path);
      used.add(path);
      const known = entries.get(path);
      if (known?.stamp === stamp) {
        const header = parse(known.header);
        if (header !== null) return header;
      }
      const header = await readGgufHeader(path, signal === undefined ? {} : { signal });
      entries.set(path, { stamp, header: JSON.stringify(encodeHeader(header)) });
      changed = true;
      return header;
    },
    save() {
      if (!changed) return { saved: false, error: null };
      try {
        writeFileAtomically(file, serialize(mergeWithStored(file, entries, used), used));
        changed = false;
        return { saved: true, error: null };
      } catch (error) {
        return { saved: false, error: error instanceof Error ? error : new Error(String(error)) };
      }
    },
  };
}

/** Another process may have saved in the meantime: what it knows and this one does not stays. */
function mergeWithStored(
  file: string,
  entries: ReadonlyMap<string, Entry>,
  used: ReadonlySet<string>,
): Map<string, Entry> {
  const merged = load(file);
  for (const [path, entry] of entries)
    if (used.has(path) || !merged.has(path)) merged.set(path, entry);
  return merged;
}

function serialize(entries: ReadonlyMap<string, Entry>, used: ReadonlySet<string>): string {
  const sorted = [...entries].sort(([a], [b]) => Number(used.has(b)) - Number(used.has(a)));
  const stored: StoredCache = {
    format: FORMAT,
    entries: Object.fromEntries(sorted.slice(0, MAX_ENTRIES)),
  };
  return JSON.stringify(stored);
}

function load(file: string): Map<string, Entry> {
  try {
    const stored = JSON.parse(readFileSync(file, 'utf8')) as Partial<StoredCache> | null;
    if (stored?.format !== FORMAT || typeof stored.entries !== 'object') return new Map();
    return new Map(
      Object.entries(stored.entries).filter(
        ([, entry]) => typeof entry?.stamp === 'string' && typeof entry.header === 'string',
      ),
    );
  } catch {
    return new Map();
  }
}

function parse(text: string): GgufHeader | null {
  try {
    return decodeHeader(JSON.parse(text) as EncodedHeader);
  } catch {
    return null;
  }
}

function stampOf(path: string): string {
  return splitFiles(path)
    .map((file) => {
      try {
        const { size, mtimeMs } = statSync(file);
        return `${size}@${mtimeMs}`;
      } catch (error) {
        // Only the file asked for must be there; a missing part is a fact of its own.
        if (file === path) throw asModelFileError(path, error);
        return 'missing';
      }
    })
    .join();
}
