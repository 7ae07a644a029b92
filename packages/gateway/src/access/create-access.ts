import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../gateway-error.js';
import type { Clock } from '../ports/clock.js';
import type { Failure } from '../protocols/protocol.js';
import { isSameSecret, type StoredKey } from './keys/api-key.js';
import { isPreflight, preflightHeaders, type PreflightAnswer } from './host-and-origin/cors.js';
import {
  CSRF_HEADER,
  isSafe,
  presentedKeys,
  sessionSecret,
  setCookie,
} from './keys/credentials.js';
import { createGuesses, type Guesses } from './keys/guesses.js';
import { isLoopbackName } from './host-and-origin/host-rules.js';
import type { KeyStore } from './keys/key-store.js';
import { SCOPES, type Scope } from './keys/scope.js';
import { createSessions, SESSION_MS, type Session } from './sessions.js';
import { checkSite, isEncrypted, type SiteRules } from './host-and-origin/site-check.js';
import { localClient } from './local-client.js';
import type { Client } from '../server/inference/inference-parts.js';
import { createFailure } from '../protocols/create-failure.js';

/** Who may use the gateway. */
export interface AccessOptions extends SiteRules {
  readonly keys: KeyStore;
  /** The address that the gateway listens on. */
  readonly listenHost: string;
  readonly clock: Clock;
}

/** Decides about each request. */
export interface Access {
  /**
   * Checks host, origin, and key or session of a request. Answers at once where no file has to be read.
   *
   * @param scope - what the request needs; null where it needs no key, such as the page
   */
  check(request: IncomingMessage, scope: Scope | null): Admission | Promise<Admission>;
  /** The answer to a preflight of a browser; null where the request is not one. */
  preflight(request: IncomingMessage): PreflightAnswer | null;
  /** Who the caller is. */
  session(request: IncomingMessage): Promise<SessionAnswer>;
  /** Begins a session with a key. */
  signIn(
    request: IncomingMessage,
    key: string,
  ): Promise<SessionAnswer | { readonly kind: 'refused'; readonly failure: Failure }>;
  signOut(request: IncomingMessage): Promise<SessionAnswer>;
}

/** Whether a request is served. */
export type Admission =
  | {
      readonly kind: 'admitted';
      /** Who asks. */
      readonly client: Client;
      /** The actions that the caller is allowed. */
      readonly scopes: readonly Scope[];
      /** Headers for the answer. */
      readonly headers: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'refused';
      readonly failure: Failure;
      /** Headers for the answer. */
      readonly headers: Readonly<Record<string, string>>;
    };

/** The session of a caller, and headers for the answer. */
export interface SessionAnswer {
  readonly kind: 'session';
  readonly session: {
    readonly required: boolean;
    readonly signedIn: boolean;
    readonly scopes: Scope[];
    readonly csrfToken: string | null;
    readonly expiresAtMs: number | null;
  };
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Creates the checks. On loopback without keys every local program may do everything.
 *
 * @throws GatewayError `KEY_REQUIRED` for another address, or for `allowOrigins` `*`, without keys
 */
export function createAccess(options: AccessOptions): Access {
  const { keys, listenHost, clock, allowOrigins } = options;
  requireKeys(keys, listenHost, allowOrigins);
  const sessions = createSessions(clock);
  const guesses = createGuesses(clock);

  /** The session of the request's cookie, as long as its key is in force. */
  const sessionOf = async (request: IncomingMessage): Promise<Session | null> => {
    const secret = sessionSecret(request);
    const session = secret === null ? null : sessions.find(secret);
    if (secret === null || session === null) return null;
    if (await keys.has(session.key)) return session;
    sessions.end(secret);
    return null;
  };
  const identify = async (request: IncomingMessage): Promise<StoredKey | Failure | null> => {
    const presented = presentedKeys(request);
    if (presented.length > 0) return tryKeys(presented, addressOf(request), keys, guesses);
    const session = await sessionOf(request);
    if (session === null) return null;
    if (isSafe(request.method) || hasTokenOf(request, session)) return session.key;
    return createFailure(
      'forbidden',
      403,
      `A request that changes something needs the header ${CSRF_HEADER} with the token of the session. Reload the page.`,
    );
  };
  const admit = (
    request: IncomingMessage,
    scope: Scope | null,
    headers: Readonly<Record<string, string>>,
  ): Admission | Promise<Admission> => {
    if (keys.hasKeys && scope !== null) return admitWithKey(request, scope, headers);
    const scopes = keys.hasKeys ? [] : SCOPES;
    return { kind: 'admitted', client: localClient(request), scopes, headers };
  };
  const admitWithKey = async (
    request: IncomingMessage,
    scope: Scope,
    headers: Readonly<Record<string, string>>,
  ): Promise<Admission> => {
    const refuse = (failure: Failure): Admission => ({ kind: 'refused', failure, headers });
    const key = await identify(request);
    if (key === null) {
      return refuse(
        createFailure(
          'unauthorized',
          401,
          'This gateway needs an API key. Send it as "Authorization: Bearer KEY", or as x-api-key.',
        ),
      );
    }
    if ('status' in key) return refuse(key);
    const scopes = allowedBy(key);
    if (!scopes.includes(scope)) {
      return refuse(
        createFailure(
          'forbidden',
          403,
          `The key ${JSON.stringify(key.name)} does not allow ${scope}. Use a key with this scope.`,
        ),
      );
    }
    const client = { name: `key ${key.name}`, priority: key.priority };
    return { kind: 'admitted', client, scopes, headers };
  };
  const describe = (
    session: Session | null,
    scopes: readonly Scope[],
    headers: Readonly<Record<string, string>> = {},
  ): SessionAnswer => ({
    kind: 'session',
    session: {
      required: keys.hasKeys,
      signedIn: session !== null,
      scopes: [...scopes],
      csrfToken: session?.csrfToken ?? null,
      expiresAtMs: session?.expiresAtMs ?? null,
    },
    headers,
  });

  return {
    check: (request, scope) => {
      const site = checkSite(request, options, scope === null);
      if (site.kind === 'refused') return { ...site, headers: {} };
      const refreshed = keys.refresh();
      return refreshed === null
        ? admit(request, scope, site.headers)
        : refreshed.then(() => admit(request, scope, site.headers));
    },
    preflight: (request) => {
      if (!isPreflight(request)) return null;
      const site = checkSite(request, options, false);
      if (site.kind === 'refused' || site.origin === null) return { status: 403, headers: {} };
      return { status: 204, headers: preflightHeaders(site.origin, request) };
    },
    session: async (request) => {
      await keys.refresh();
      if (!keys.hasKeys) return describe(null, SCOPES);
      const session = await sessionOf(request);
      if (session !== null) return describe(session, allowedBy(session.key));
      const key = await identify(request);
      return describe(null, key === null || 'status' in key ? [] : allowedBy(key));
    },
    signIn: async (request, text) => {
      const key = await tryKeys([text], addressOf(request), keys, guesses);
      if ('status' in key) return { kind: 'refused', failure: key };
      const { secret, session } = sessions.begin(key);
      return describe(session, allowedBy(key), {
        'set-cookie': setCookie(secret, isEncrypted(request), SESSION_MS),
      });
    },
    signOut: async (request) => {
      const secret = sessionSecret(request);
      const session = await sessionOf(request);
      if (secret !== null && session !== null) {
        // Another site cannot sign the page out: it cannot read the token.
        if (!hasTokenOf(request, session)) return describe(session, allowedBy(session.key));
        sessions.end(secret);
      }
      return describe(null, keys.hasKeys ? [] : SCOPES, {
        'set-cookie': setCookie('', isEncrypted(request), 0),
      });
    },
  };
}

/** Whether a request has the header that only pages of the gateway can send for this session. */
function hasTokenOf({ headers }: IncomingMessage, { csrfToken }: Session): boolean {
  const token = headers[CSRF_HEADER];
  return typeof token === 'string' && isSameSecret(token, csrfToken);
}

function requireKeys(
  { hasKeys }: KeyStore,
  listenHost: string,
  allowOrigins: readonly string[],
): void {
  if (hasKeys) return;
  if (!isLoopbackName(listenHost)) {
    throw new GatewayError(
      'KEY_REQUIRED',
      `Other machines can reach ${listenHost}, so the gateway needs an API key there. Make one with "mai keys add NAME", or listen on 127.0.0.1.`,
    );
  }
  if (allowOrigins.includes('*')) {
    throw new GatewayError(
      'KEY_REQUIRED',
      'Every page in your browser could use the gateway with --allow-origin "*". Name the origins, or make an API key with "mai keys add NAME".',
    );
  }
}

/**
 * The key that one of the presented texts matches; a failure where none does. While an address waits after many wrong keys, its texts
 * are not compared with the keys. Loopback is the exception, because all programs of the machine share that address: there a right
 * key is still found.
 */
async function tryKeys(
  texts: readonly string[],
  address: string,
  keys: KeyStore,
  guesses: Guesses,
): Promise<StoredKey | Failure> {
  const waitMs = guesses.waitMs(address);
  if (waitMs === 0 || isLoopbackName(address)) {
    for (const text of texts) {
      const key = await keys.find(text);
      if (key === null) continue;
      guesses.succeeded(address);
      return key;
    }
  }
  if (waitMs === 0) {
    guesses.failed(address);
    return createFailure(
      'unauthorized',
      401,
      'The API key is not valid. Make one with "mai keys add NAME" on the machine of the gateway.',
    );
  }
  const failure = createFailure(
    'unauthorized',
    429,
    'Too many wrong API keys came from this address. Wait, then send a valid key.',
  );
  return { ...failure, retryAfterSeconds: Math.ceil(waitMs / 1000) };
}

function allowedBy({ scopes }: StoredKey): readonly Scope[] {
  return SCOPES.filter(
    (scope) => scopes.includes(scope) || (scope === 'read' && scopes.includes('control')),
  );
}

function addressOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? '';
}
