import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Scope } from './scope.js';

/** A key as it is stored: without its text. */
export interface StoredKey {
  /** Names the key for people and in the queue. */
  readonly name: string;
  /** SHA-256 of the key, in hexadecimal. */
  readonly sha256: string;
  readonly scopes: readonly Scope[];
  /** Place in the queue: higher is served first; 0 is usual. */
  readonly priority: number;
  /** Epoch milliseconds. */
  readonly createdMs: number;
}

const KEY_BYTES = 32;
/** Longer texts are not keys, and are not hashed. */
const KEY_TEXT_MAX = 200;

/** Makes the text of a new key: `mai-` and 32 random bytes in base64url. */
export function newKeyText(): string {
  return `mai-${randomBytes(KEY_BYTES).toString('base64url')}`;
}

/**
 * The hash that is stored. A plain SHA-256 is right here, unlike for passwords: a key has 256 random bits, so nobody
 * can find it by trying likely texts, and a slow hash would only slow down each request.
 */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The key with this text; null where there is none. Takes the same time for every key of the list. */
export function findKey(text: string, keys: readonly StoredKey[]): StoredKey | null {
  if (text.length > KEY_TEXT_MAX) return null;
  const presented = Buffer.from(hashOf(text), 'hex');
  let found: StoredKey | null = null;
  for (const key of keys) {
    if (timingSafeEqual(presented, Buffer.from(key.sha256, 'hex'))) found = key;
  }
  return found;
}

/** Whether two secret texts are equal. Takes the same time for every text. */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(one), 'hex'), Buffer.from(hashOf(other), 'hex'));
}
