import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { codeOf, messageOf } from '../../error-facts.js';
import { GatewayError, isGatewayError } from '../../gateway-error.js';
import { hashOf, newKeyText, type StoredKey } from './api-key.js';
import { SCOPES, type Scope } from './scope.js';

const keyName = z
  .string()
  .regex(/^[\w.@ -]{1,64}$/u, 'A name has 1 to 64 letters, digits, spaces or one of . @ _ -');

const fileSchema = z.strictObject({
  version: z.literal(1),
  keys: z.array(
    z.strictObject({
      name: keyName,
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      scopes: z.array(z.enum(SCOPES)).min(1),
      priority: z.int().min(-100).max(100),
      createdMs: z.number(),
    }),
  ),
});

/** Larger files are not key files. */
const FILE_BYTES_MAX = 1_048_576;

/** The keys of a file, and what identifies this version of the file. */
export interface KeyFile {
  readonly keys: readonly StoredKey[];
  /** Null where the file does not exist. */
  readonly version: string | null;
}

/**
 * Reads a file of keys. A file that does not exist has no keys.
 *
 * @throws GatewayError `FILE_UNUSABLE`
 */
export async function readKeyFile(file: string): Promise<KeyFile> {
  let text: string;
  let version: string;
  try {
    await using handle = await open(file, 'r');
    const { mode, size, mtimeMs, ino } = await handle.stat();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw unusable(file, 'other users may read or write it. Run: chmod 600', null);
    }
    if (size > FILE_BYTES_MAX) throw unusable(file, 'it is larger than 1 MiB', null);
    text = await handle.readFile('utf8');
    version = `${ino}:${mtimeMs}:${size}`;
  } catch (error) {
    if (isGatewayError(error)) throw error;
    if (codeOf(error) === 'ENOENT') return { keys: [], version: null };
    throw unusable(file, messageOf(error), error);
  }
  try {
    return { keys: fileSchema.parse(JSON.parse(text)).keys, version };
  } catch (error) {
    throw unusable(file, 'it is not a list of keys that Mai wrote', error);
  }
}

/** The properties of a new key. */
export interface NewKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Default 0. */
  readonly priority?: number;
}

/**
 * Adds a key to a file and returns its text, which is stored nowhere.
 *
 * @throws GatewayError `FILE_UNUSABLE`; `KEY_INVALID` where the name is taken or a property is out of range
 */
export async function addKey(
  file: string,
  { name, scopes, priority = 0 }: NewKey,
  nowMs: number,
): Promise<string> {
  const { keys } = await readKeyFile(file);
  if (keys.some((key) => key.name === name)) {
    throw new GatewayError(
      'KEY_INVALID',
      `There is a key ${JSON.stringify(name)} already. Choose another name, or remove that key first.`,
    );
  }
  const text = newKeyText();
  const key = { name, sha256: hashOf(text), scopes: [...scopes], priority, createdMs: nowMs };
  const checked = fileSchema.safeParse({ version: 1, keys: [...keys, key] });
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw new GatewayError(
      'KEY_INVALID',
      `The key cannot be made: ${issue?.message ?? 'a property is out of range'}.`,
    );
  }
  await writeKeyFile(file, checked.data.keys);
  return text;
}

/**
 * Removes the key with a name. Returns whether there was one.
 *
 * @throws GatewayError `FILE_UNUSABLE`
 */
export async function removeKey(file: string, name: string): Promise<boolean> {
  const { keys } = await readKeyFile(file);
  const kept = keys.filter((key) => key.name !== name);
  if (kept.length === keys.length) return false;
  await writeKeyFile(file, kept);
  return true;
}

/** Writes a file beside, and renames it: a reader finds the old keys or the new ones, also after a crash. */
async function writeKeyFile(file: string, keys: readonly StoredKey[]): Promise<void> {
  const beside = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    {
      await using handle = await open(beside, 'wx', 0o600);
      await handle.writeFile(`${JSON.stringify({ version: 1, keys }, null, 2)}\n`);
      await handle.sync();
    }
    await rename(beside, file);
  } catch (error) {
    // The first error is the one to report, so one of the removal is dropped.
    await rm(beside, { force: true }).catch(() => undefined);
    throw new GatewayError(
      'FILE_UNUSABLE',
      `The file of API keys ${file} cannot be written: ${messageOf(error)}. Check its permissions and its disk, or name another file with --keys.`,
      { cause: error },
    );
  }
}

function unusable(file: string, why: string, cause: unknown): GatewayError {
  return new GatewayError(
    'FILE_UNUSABLE',
    `The file of API keys ${file} cannot be used: ${why}. Correct it, or name another file with --keys.`,
    cause === null ? {} : { cause },
  );
}
