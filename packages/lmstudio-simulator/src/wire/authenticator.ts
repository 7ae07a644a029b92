import { createHash, timingSafeEqual } from 'node:crypto';
import { API_TOKEN, type World } from '../world/world.js';

/** The answer to a client: the reason of a refusal, or the function to call when its connection ends. */
export type Admission = { readonly refusal: string } | { release(): void };

/** Decides whether a client may connect. */
export interface Authenticator {
  /** Admits or refuses one connection of a client. */
  admit(clientIdentifier: string, clientPasskey: string): Admission;
  /** The refusal of an HTTP request by its `Authorization` header; `null` where it is accepted. */
  checkHeader(authorization: string | undefined): string | null;
}

// LM Studio's message for HTTP, as users report it.
const TOKEN_MISSING =
  'An LM Studio API token is required to make requests to this server, but none was provided using ' +
  "the Authorization header using the 'Bearer' scheme.";

interface KnownClient {
  readonly passkey: string;
  connections: number;
}

/**
 * Checks clients as LM Studio does. Guests must keep the passkey that they first connected with. An API token must
 * be one of `tokens`. The texts for guests are those of lmstudio-js' `fcfsAuthenticator.ts`. The texts for tokens
 * over WebSocket are invented.
 */
export function createAuthenticator({
  tokens,
  requireToken,
  authenticator: rule,
}: Pick<World, 'tokens' | 'requireToken' | 'authenticator'>): Authenticator {
  const knownTokens = new Map(
    tokens.map((token) => {
      const [identifier = '', passkey = ''] = token.slice('sk-lm-'.length).split(':');
      return [identifier, passkey];
    }),
  );
  const clients = new Map<string, KnownClient>();

  const admitGuest = (identifier: string, passkey: string): Admission => {
    const client = clients.get(identifier) ?? { passkey, connections: 0 };
    if (clients.has(identifier) && client.connections === 0) {
      return { refusal: 'Client is already released!' };
    }
    if (!equal(client.passkey, passkey)) {
      const refusal = `Failed to validate client: Invalid client passkey for client "${identifier}"`;
      return { refusal };
    }
    clients.set(identifier, client);
    client.connections++;
    return {
      release() {
        client.connections--;
        if (client.connections === 0 && rule === 'lm-studio') clients.delete(identifier);
      },
    };
  };

  return {
    admit(clientIdentifier, clientPasskey) {
      const expected = knownTokens.get(clientIdentifier);
      if (expected !== undefined) {
        if (!equal(expected, clientPasskey)) return { refusal: 'Invalid API token' };
        return { release: () => {} };
      }
      if (!requireToken) return admitGuest(clientIdentifier, clientPasskey);
      return {
        refusal: clientIdentifier.startsWith('guest:')
          ? 'An LM Studio API token is required to connect to this server, but none was provided.'
          : 'Invalid API token',
      };
    },
    checkHeader(authorization) {
      if (!requireToken) return null;
      const token = /^Bearer\s+(.+)$/i.exec(authorization ?? '')?.[1];
      if (token === undefined) return TOKEN_MISSING;
      if (!API_TOKEN.test(token)) {
        const shown = token.slice(0, 10) + '*'.repeat(Math.max(0, token.length - 10));
        return `Malformed LM Studio API token provided: ${shown}`;
      }
      return tokens.some((known) => equal(known, token)) ? null : 'Invalid API token';
    },
  };
}

function equal(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
