import { createHash, timingSafeEqual } from 'node:crypto';

/** Decides whether a client may connect. */
export interface Authenticator {
  /** `null` where the client may connect; the text of the refusal otherwise. */
  check(clientIdentifier: string, clientPasskey: string): string | null;
  /** As `check`, for the `Authorization` header of an HTTP request. */
  checkHeader(authorization: string | undefined): string | null;
}

// LM Studio's message for HTTP, as users report it.
const TOKEN_MISSING =
  'An LM Studio API token is required to make requests to this server, but none was provided using ' +
  "the Authorization header using the 'Bearer' scheme.";

/**
 * Checks clients as LM Studio does. An anonymous client must keep the passkey that it first connected with.
 * An API token must be one of `tokens`.
 *
 * @param requireToken - refuses anonymous clients.
 */
export function createAuthenticator(
  tokens: readonly string[],
  requireToken: boolean,
): Authenticator {
  const knownTokens = new Map(
    tokens.map((token) => {
      const [identifier = '', passkey = ''] = token.slice('sk-lm-'.length).split(':');
      return [identifier, passkey];
    }),
  );
  const firstSeen = new Map<string, string>();

  return {
    check(clientIdentifier, clientPasskey) {
      const expected = knownTokens.get(clientIdentifier);
      if (expected !== undefined) {
        return equal(expected, clientPasskey) ? null : 'Invalid API token';
      }
      if (requireToken) {
        return clientIdentifier.startsWith('guest:')
          ? 'An LM Studio API token is required to connect to this server, but none was provided.'
          : 'Invalid API token';
      }
      const trusted = firstSeen.get(clientIdentifier);
      if (trusted === undefined) {
        firstSeen.set(clientIdentifier, clientPasskey);
        return null;
      }
      return equal(trusted, clientPasskey) ? null : 'Invalid passkey';
    },
    checkHeader(authorization) {
      if (!requireToken) return null;
      const token = /^Bearer\s+(.+)$/i.exec(authorization ?? '')?.[1];
      if (token === undefined) return TOKEN_MISSING;
      if (!/^sk-lm-[a-zA-Z0-9]{8}:[a-zA-Z0-9]{20}$/.test(token)) {
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
