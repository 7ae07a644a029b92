import { randomBytes } from 'node:crypto';
import type { Clock } from '../ports/clock.js';
import { hashOf, type StoredKey } from './keys/api-key.js';

/** A browser that has signed in. */
export interface Session {
  readonly key: StoredKey;
  /** Changing requests must send this text, which other sites cannot read. */
  readonly csrfToken: string;
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
}

/** The signed-in browsers. Kept in memory only: a restart signs everybody out. */
export interface Sessions {
  /** Begins a session. Returns it with the secret for the cookie. */
  begin(key: StoredKey): { readonly secret: string; readonly session: Session };
  /** The session of a secret; null where there is none, or it has expired. */
  find(secret: string): Session | null;
  end(secret: string): void;
}

/** Lifetime of a session. */
export const SESSION_MS = 12 * 3_600_000;
/** The oldest sessions end where more browsers sign in. */
const SESSIONS_MAX = 64;

/** Creates an empty list of sessions. */
export function createSessions(clock: Clock): Sessions {
  const sessions = new Map<string, { readonly session: Session; readonly endsAtMs: number }>();
  return {
    begin: (key) => {
      const secret = randomBytes(32).toString('base64url');
      const session: Session = {
        key,
        csrfToken: randomBytes(32).toString('base64url'),
        expiresAtMs: clock.nowMs() + SESSION_MS,
      };
      sessions.set(hashOf(secret), { session, endsAtMs: clock.monotonicMs() + SESSION_MS });
      const [oldest] = sessions.keys();
      if (sessions.size > SESSIONS_MAX && oldest !== undefined) sessions.delete(oldest);
      return { secret, session };
    },
    find: (secret) => {
      const hash = hashOf(secret);
      const entry = sessions.get(hash);
      if (entry === undefined) return null;
      if (clock.monotonicMs() < entry.endsAtMs) return entry.session;
      sessions.delete(hash);
      return null;
    },
    end: (secret) => {
      sessions.delete(hashOf(secret));
    },
  };
}
