import { stat } from 'node:fs/promises';
import type { Clock } from '../../ports/clock.js';
import { findKey, type StoredKey } from './api-key.js';
import { readKeyFile } from './key-file.js';

/** The keys in force. Follows changes of their file. */
export interface KeyStore {
  /** Whether any key is configured, as of the last look at the file. */
  readonly hasKeys: boolean;
  /** Looks at the file again, at most once a second. Null where there is nothing to wait for. */
  refresh(): Promise<void> | null;
  /** The key with this text; null where there is none. */
  find(text: string): Promise<StoredKey | null>;
  /** Whether a key is still in force. */
  has(key: StoredKey): Promise<boolean>;
}

/** How long the keys are used before their file is looked at again. */
const FRESH_MS = 1000;

/** A store without keys. */
export const NO_KEYS: KeyStore = {
  hasKeys: false,
  refresh: () => null,
  find: () => Promise.resolve(null),
  has: () => Promise.resolve(false),
};

/**
 * Opens the keys of a file. A file that becomes unusable later leaves the last keys in force.
 *
 * @throws GatewayError `FILE_UNUSABLE`
 */
export async function openKeyStore(file: string, clock: Clock): Promise<KeyStore> {
  let current = await readKeyFile(file);
  // Once keys were set, the gateway stays closed: an emptied file must not open it.
  let hadKeys = current.keys.length > 0;
  let lookedAtMs = clock.monotonicMs();
  let looking: Promise<void> | null = null;

  const look = async (): Promise<void> => {
    const found = await stat(file).catch(() => null);
    const version = found === null ? null : `${found.ino}:${found.mtimeMs}:${found.size}`;
    if (version === current.version) return;
    // While the file cannot be read, the keys that were read last stay in force.
    current = await readKeyFile(file).catch(() => current);
    hadKeys ||= current.keys.length > 0;
  };
  const refresh = (): Promise<void> | null => {
    if (clock.monotonicMs() - lookedAtMs < FRESH_MS) return looking;
    lookedAtMs = clock.monotonicMs();
    looking = look().finally(() => {
      looking = null;
    });
    return looking;
  };

  return {
    get hasKeys() {
      return hadKeys;
    },
    refresh,
    find: async (text) => {
      await refresh();
      return findKey(text, current.keys);
    },
    has: async (key) => {
      await refresh();
      return current.keys.some(({ sha256 }) => sha256 === key.sha256);
    },
  };
}
