import { LMStudioError } from '../errors.js';
import type { Credentials } from '../wire/wire.js';

const TOKEN = /^sk-lm-[a-zA-Z0-9]{8}:[a-zA-Z0-9]{20}$/;

/**
 * The API token to use; `null` for none.
 * @throws LMStudioError `UNAUTHORIZED` for one that LM Studio can't have issued.
 */
export function apiTokenOf(options: {
  readonly apiToken?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}): string | null {
  const apiToken = (options.apiToken ?? options.env['LM_API_TOKEN'] ?? '').trim();
  if (apiToken === '') return null;
  if (!TOKEN.test(apiToken)) {
    const source = options.apiToken === undefined ? 'LM_API_TOKEN' : 'The API token';
    // The value stays out of the message: it is nearly a secret.
    throw new LMStudioError(
      'UNAUTHORIZED',
      `${source} is not an LM Studio API token: it has to look like sk-lm-, 8 characters, a colon and 20 characters. Create one in LM Studio (Developer, Server Settings).`,
    );
  }
  return apiToken;
}

/** Who to be for LM Studio: the token's owner, or an anonymous client with a name. */
export function credentialsOf(
  apiToken: string | null,
  clientIdentifier: string | undefined,
): Credentials {
  if (apiToken !== null) return { apiToken };
  // LM Studio trusts the first pass key that it sees for an identifier, so a fixed name would lock
  // out the next process.
  const name = (clientIdentifier ?? 'mai').slice(0, 200);
  return {
    clientIdentifier: `guest:${name}:${crypto.randomUUID()}`,
    clientPasskey: crypto.randomUUID(),
  };
}
