import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SCHEMA_FINGERPRINT } from '../built-in/schema-fingerprint.generated.js';
import type { ModelConfigFile } from '../format/model-config-file.js';

// Parsing 40 models as YAML takes twice as long as starting Node. Therefore the content of a
// valid file is cached as JSON, together with the file's text. The cache is used only while the
// file has that text.

// Increase this version when a rule outside the schema becomes stricter.
const RULES = 4;

interface CacheEntry {
  readonly rules: string;
  readonly text: string;
  readonly data: ModelConfigFile;
}

const CURRENT_RULES = `${SCHEMA_FINGERPRINT}-${RULES}`;

/** The cached content of a file with this text; `null` if it is not cached. */
export function readCached(cacheDir: string, file: string, text: string): ModelConfigFile | null {
  try {
    const entry: unknown = JSON.parse(readFileSync(cacheFile(cacheDir, file), 'utf8'));
    return isCacheEntry(entry) && entry.text === text ? entry.data : null;
  } catch {
    return null;
  }
}

/**
 * Whether the entry was written by `writeCached` under the current rules. Only validated content is
 * written, so the content is not checked again.
 */
function isCacheEntry(entry: unknown): entry is CacheEntry {
  return (
    typeof entry === 'object' &&
    entry !== null &&
    'rules' in entry &&
    entry.rules === CURRENT_RULES &&
    'text' in entry &&
    'data' in entry
  );
}

/**
 * Caches the content of a valid file. A failed write is ignored, because the cache only saves
 * time.
 */
export async function writeCached(
  cacheDir: string,
  file: string,
  text: string,
  data: ModelConfigFile,
): Promise<void> {
  const target = cacheFile(cacheDir, file);
  const draft = `${target}.${process.pid}.tmp`;
  try {
    const entry: CacheEntry = { rules: CURRENT_RULES, text, data };
    await mkdir(cacheDir, { recursive: true });
    await writeFile(draft, JSON.stringify(entry));
    await rename(draft, target);
  } catch {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

// One cache file for each path. Two paths with the same hash replace each other's file, which is
// safe because the text is compared.
function cacheFile(cacheDir: string, file: string): string {
  let hash = 0x811c9dc5; // The hash is FNV-1a, because loading node:crypto takes longer than the cache saves.
  for (const byte of new TextEncoder().encode(file)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return path.join(cacheDir, `model-config-${hash.toString(16).padStart(8, '0')}.json`);
}
