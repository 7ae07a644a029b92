import { LMStudioError } from './errors.js';
import type { Credentials } from './wire/wire.js';

const TOKEN = /^sk-lm-[a-zA-Z0-9]{8}:[a-zA-Z0-9]{20}$/;

/** Who to be for LM Studio: the token's owner, or an anonymous client with a name. */
export function credentialsOf(options: {
  readonly apiToken?: string | undefined;
  readonly clientIdentifier?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Credentials {
  const given = options.apiToken ?? options.env['LM_API_TOKEN'] ?? '';
  const apiToken = given.trim();
  if (apiToken === '') {
    // LM Studio trusts the first pass key that it sees for an identifier, so a fixed name would
    // lock out the next process.
    const name = (options.clientIdentifier ?? 'mai').slice(0, 200);
    return {
      clientIdentifier: `guest:${name}:${crypto.randomUUID()}`,
      clientPasskey: crypto.randomUUID(),
    };
  }
  if (!TOKEN.test(apiToken)) {
    const source = options.apiToken === undefined ? 'LM_API_TOKEN' : 'The API token';
    // The value stays out of the message: it is nearly a secret.
    throw new LMStudioError(
      'UNAUTHORIZED',
      `${source} is not an LM Studio API token: it has to look like sk-lm-, 8 characters, a colon and 20 characters. Create one in LM Studio (Developer, Server Settings).`,
    );
  }
  return { apiToken };
}
