import { LMStudioError } from '../errors.js';
import type { Credentials } from '../wire/wire.js';

const TOKEN = /^sk-lm-[a-zA-Z0-9]{8}:[a-zA-Z0-9]{20}$/;

/**
 * The API token from the options, else from `LM_API_TOKEN`, else `null`. @throws LMStudioError
 * `UNAUTHORIZED` for a value that does not have the form of LM Studio's tokens.
 */
export function apiTokenOf(options: {
  readonly apiToken?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}): string | null {
  const apiToken = (options.apiToken ?? options.env['LM_API_TOKEN'] ?? '').trim();
  if (apiToken === '') return null;
  if (!TOKEN.test(apiToken)) {
    const source = options.apiToken === undefined ? 'LM_API_TOKEN' : 'The API token';
    // The message does not repeat the value, because a mistyped token reveals most of the real token.
    throw new LMStudioError(
      'UNAUTHORIZED',
      `${source} is not an LM Studio API token. A token is sk-lm-, 8 characters, a colon and 20 characters. Create one in LM Studio (Developer, Server Settings).`,
    );
  }
  return apiToken;
}

/** Credentials of one session: the token, or a new identity of an anonymous client. */
export function credentialsOf(
  apiToken: string | null,
  clientIdentifier: string | undefined,
): Credentials {
  if (apiToken !== null) return { apiToken };
  // LM Studio accepts an identifier only with the pass key of its first connection, and may refuse the identifier
  // after its last socket has closed. A random part makes each identifier new.
  const name = (clientIdentifier ?? 'mai').slice(0, 200);
  return {
    clientIdentifier: `guest:${name}:${crypto.randomUUID()}`,
    clientPasskey: crypto.randomUUID(),
  };
}
