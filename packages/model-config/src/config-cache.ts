import { readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SCHEMA_FINGERPRINT } from './built-in/schema-fingerprint.generated.js';
import type { ModelConfigFile } from './file/model-config-file.js';

// Parsing 40 models as YAML takes twice as long as Node takes to start. A file that was read and found
// valid is therefore kept as JSON together with its own text, and counts only for exactly that text.

// To be raised when a rule becomes stricter that the schema does not show.
const RULES = 1;

interface Entry {
  readonly rules: string;
  readonly text: string;
  readonly data: ModelConfigFile;
}

const CURRENT_RULES = `${SCHEMA_FINGERPRINT}-${RULES}`;

/** What a valid file with this text holds, if it was read before; `null` in any other case. */
export function readCached(cacheDir: string, file: string, text: string): ModelConfigFile | null {
  try {
    const entry = JSON.parse(readFileSync(cacheFile(cacheDir, file), 'utf8')) as Entry;
    return entry.rules === CURRENT_RULES && entry.text === text ? entry.data : null;
  } catch {
    return null;
  }
}

/** Keeps what a valid file holds. A cache that can't be written is no cache, and no fault. */
export async function writeCached(
  cacheDir: string,
  file: string,
  text: string,
  data: ModelConfigFile,
): Promise<void> {
  const target = cacheFile(cacheDir, file);
  const draft = `${target}.${process.pid}`;
  try {
    const entry: Entry = { rules: CURRENT_RULES, text, data };
    await mkdir(cacheDir, { recursive: true });
    await writeFile(draft, JSON.stringify(entry));
    await rename(draft, target);
  } catch {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

// One file for each configuration. Two that share a name only take turns: the text decides.
function cacheFile(cacheDir: string, file: string): string {
  let hash = 0x811c9dc5; // FNV-1a; node:crypto takes longer to load than this cache saves
  for (const byte of new TextEncoder().encode(file)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return path.join(cacheDir, `model-config-${hash.toString(16).padStart(8, '0')}.json`);
}
