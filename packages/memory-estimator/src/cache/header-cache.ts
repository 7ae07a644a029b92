import { statSync } from 'node:fs';
import { asModelFileError } from '../gguf/bytes/byte-source.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { splitFiles } from '../gguf/split-files.js';
import { isJsonObject } from '../files/json-object.js';
import type { SaveOutcome } from '../files/atomic-file.js';
import { decodeHeader, encodeHeader } from './header-codec.js';
import { openStampedStore } from './stamped-store.js';

/** Version of the stored form. Raise it when the form changes, because files of another version are ignored. */
const FORMAT = 5;
/** Maximum number of results for each model. The oldest results are dropped first. */
const MAX_DERIVED = 64;

/** Keeps headers, and results that were computed from them, in files. */
export interface HeaderCache {
  /**
   * The header of a model file. It comes from the cache unless a file of the model changed its size or its
   * modification time. A cached header lacks strings of more than 65,536 characters.
   *
   * @throws ModelFileError as `readGgufHeader` does.
   */
  read(path: string, options?: { readonly signal?: AbortSignal }): Promise<GgufHeader>;
  /**
   * The result of `compute` for the header of a model file. If the cache has a result under the same `key`, and no
   * file of the model has changed since, the header is not read.
   *
   * @param key Names everything that the result depends on besides the header, including the version of the
   * code and the type of the result.
   * @param compute Its result is kept as JSON; at most 64 results are kept for each model.
   * @throws ModelFileError as `readGgufHeader` does, and the errors of `compute`.
   */
  derive<Result>(
    path: string,
    key: string,
    compute: (header: GgufHeader) => Result | Promise<Result>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Result>;
  /** Writes new headers and results to the files, atomically. Never throws. */
  save(): SaveOutcome;
}

/**
 * Opens a header cache.
 *
 * @param options.file Path of the file for headers. A second file beside it has the results. A file that is
 * missing, damaged or of another format counts as an empty cache.
 */
export function openHeaderCache(options: { readonly file: string }): HeaderCache {
  const { file } = options;
  // Each header is a separate JSON text, so that only the requested headers are parsed.
  const headers = openStampedStore(file, FORMAT, isText);
  const derived = openStampedStore(file.replace(/(\.json)?$/, '.derived$1'), FORMAT, isTexts);
  const open = new Map<string, { readonly stamp: string; readonly header: Promise<GgufHeader> }>();

  async function find(path: string, stamp: string, signal?: AbortSignal): Promise<GgufHeader> {
    const known = headers.get(path, stamp);
    const kept = known === null ? null : parse(known);
    if (kept !== null) return kept;
    // Imported here, because a cached header or result needs none of it.
    const { readGgufHeader } = await import('../gguf/read-gguf-header.js');
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
    // The next caller tries again after an error or a cancelled read.
    header.catch(() => open.delete(path));
    return header;
  }

  return {
    read: async (path, { signal } = {}) => read(path, stampOf(path), signal),
    async derive<Result>(
      path: string,
      key: string,
      compute: (header: GgufHeader) => Result | Promise<Result>,
      { signal }: { readonly signal?: AbortSignal } = {},
    ): Promise<Result> {
      const stamp = stampOf(path);
      const texts = derived.get(path, stamp) ?? {};
      const known = texts[key];
      // The key names the type of the result, so JSON of this key is a Result.
      if (known !== undefined) return JSON.parse(known) as Result;
      const result = await compute(await read(path, stamp, signal));
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
  return isJsonObject(value) && Object.values(value).every(isText);
}

function parse(text: string): GgufHeader | null {
  try {
    return decodeHeader(JSON.parse(text));
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
        // Another file of a split model may be missing. When that file appears, the stamp changes.
        if (file === path) throw asModelFileError(path, error);
        return 'missing';
      }
    })
    .join();
}
