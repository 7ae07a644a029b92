import { statSync } from 'node:fs';
import { asModelFileError } from '../gguf/byte-source.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { readGgufHeader } from '../gguf/read-gguf-header.js';
import { splitFiles } from '../gguf/split-files.js';
import { decodeHeader, encodeHeader, type EncodedHeader } from './header-codec.js';
import { openStampedStore, type SaveOutcome } from './stamped-store.js';

/** Raised when the stored form changes; an older file is then written anew. */
const FORMAT = 2;
/** For each model; the oldest go first. */
const MAX_DERIVED = 64;

/** Headers that were read before, and what was worked out from them, kept in files. */
export interface HeaderCache {
  /**
   * The header of a model file: from the cache where no file of the model has changed in size or time, from
   * the file otherwise. Strings above 65,536 characters are missing from a cached header.
   *
   * @throws ModelFileError as readGgufHeader does.
   */
  read(path: string, options?: { readonly signal?: AbortSignal }): Promise<GgufHeader>;
  /**
   * What `compute` makes of the header of a model file: from the cache where it was computed before under
   * the same `key` and no file of the model has changed since; the header is then not even looked at.
   *
   * @param key Everything that the result depends on beside the header, the version of the code included.
   * @param compute Its result is kept as JSON; at most 64 for each model.
   * @throws ModelFileError as readGgufHeader does, and whatever `compute` throws.
   */
  derive<Result>(
    path: string,
    key: string,
    compute: (header: GgufHeader) => Result,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Result>;
  /** Writes what is new, atomically; nothing where nothing is. */
  save(): SaveOutcome;
}

/**
 * Opens a header cache.
 *
 * @param options.file Where headers are kept; what was derived from them lies beside it. A file that is
 * missing, damaged or of another version is an empty cache.
 */
export function openHeaderCache(options: { readonly file: string }): HeaderCache {
  const { file } = options;
  // As JSON text, so that only the ones asked for are parsed.
  const headers = openStampedStore(file, FORMAT, isText);
  const derived = openStampedStore(file.replace(/(\.json)?$/, '.derived$1'), FORMAT, isTexts);
  const open = new Map<string, { readonly stamp: string; readonly header: Promise<GgufHeader> }>();

  async function find(path: string, stamp: string, signal?: AbortSignal): Promise<GgufHeader> {
    const known = headers.get(path, stamp);
    const kept = known === null ? null : parse(known);
    if (kept !== null) return kept;
    const header = await readGgufHeader(path, signal === undefined ? {} : { signal });
    headers.set(path, stamp, JSON.stringify(encodeHeader(header)));
    return header;
  }

  async function read(
    path: string,
    stamp: string,
    signal: AbortSignal | undefined,
  ): Promise<GgufHeader> {
    const known = open.get(path);
    if (known?.stamp === stamp) return known.header;
    const header = find(path, stamp, signal);
    open.set(path, { stamp, header });
    // What failed, or was cancelled by one caller, is tried again for the next.
    header.catch(() => open.delete(path));
    return header;
  }

  return {
    read: async (path, { signal } = {}) => read(path, stampOf(path), signal),
    async derive<Result>(
      path: string,
      key: string,
      compute: (header: GgufHeader) => Result,
      { signal }: { readonly signal?: AbortSignal } = {},
    ): Promise<Result> {
      const stamp = stampOf(path);
      const texts = derived.get(path, stamp) ?? {};
      const known = texts[key];
      if (known !== undefined) return JSON.parse(known) as Result;
      const result = compute(await read(path, stamp, signal));
      const all = { ...derived.get(path, stamp), [key]: JSON.stringify(result) };
      derived.set(path, stamp, Object.fromEntries(Object.entries(all).slice(-MAX_DERIVED)));
      return result;
    },
    save() {
      const outcomes = [headers.save(), derived.save()];
      return {
        saved: outcomes.some(({ saved }) => saved),
        error: outcomes.find(({ error }) => error !== null)?.error ?? null,
      };
    },
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && Object.values(value).every(isText);
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
