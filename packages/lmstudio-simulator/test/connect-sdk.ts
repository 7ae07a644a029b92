import { LMStudioClient } from '@lmstudio/sdk';

/** An SDK client that keeps what the SDK would print. */
export function connectSdk(
  baseUrl: string,
  options: {
    readonly apiToken?: string;
    readonly clientIdentifier?: string;
    readonly clientPasskey?: string;
  } = {},
): { client: LMStudioClient; logged: string[] } {
  const logged: string[] = [];
  const note = (...messages: unknown[]): void => void logged.push(messages.map(String).join(' '));
  const logger = { debug: () => {}, info: note, warn: note, error: note };
  return { client: new LMStudioClient({ baseUrl, logger, ...options }), logged };
}
