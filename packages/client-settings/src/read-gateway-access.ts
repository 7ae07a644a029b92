import { ClientSettingsError } from './client-settings-error.js';
import type { GatewayAccess } from './gateway-access.js';
import { readText } from './files/machine-files.js';

/** Where the gateway listens by default. */
const DEFAULT_GATEWAY_URL = 'http://127.0.0.1:11435';

/** The options of a person about the gateway. Null: the default. */
export interface AccessOptions {
  /** Address of the gateway, with or without `/v1`. Default: `http://127.0.0.1:11435`. */
  readonly url?: string | null;
  /** Model name that clients ask for. Default: `auto`. */
  readonly model?: string | null;
  /** File with the API key of the gateway. Default: no key. */
  readonly keyFile?: string | null;
}

/**
 * How clients reach the gateway.
 *
 * @throws ClientSettingsError `INVALID_REQUEST`, `FILE_UNUSABLE`
 */
export async function gatewayAccess(options: AccessOptions = {}): Promise<GatewayAccess> {
  const { url, model, keyFile } = options;
  return {
    url: baseUrl(url ?? DEFAULT_GATEWAY_URL),
    model: modelName(model ?? 'auto'),
    apiKey: keyFile === null || keyFile === undefined ? null : await keyIn(keyFile),
  };
}

function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const path = url?.pathname.replace(/\/+$/, '') ?? '';
  if (url === null || !/^https?:$/.test(url.protocol) || !['', '/v1'].includes(path)) {
    throw new ClientSettingsError(
      'INVALID_REQUEST',
      `${JSON.stringify(text)} is not the address of a gateway. Give one such as ${DEFAULT_GATEWAY_URL}.`,
    );
  }
  return url.origin;
}

function modelName(text: string): string {
  if (/^[^\s"'\\]+$/.test(text)) return text;
  throw new ClientSettingsError(
    'INVALID_REQUEST',
    `${JSON.stringify(text)} is not a model name. Give one such as auto, auto:coding or a model key.`,
  );
}

async function keyIn(file: string): Promise<string> {
  const key = (await readText(file))?.trim() ?? null;
  // A key is sent in a header, so it has visible ASCII characters only.
  if (key !== null && /^[!-~]+$/.test(key)) return key;
  throw new ClientSettingsError(
    'FILE_UNUSABLE',
    key === null
      ? `${file} does not exist. Name a file with the API key of the gateway.`
      : `${file} does not contain an API key: one line of visible ASCII characters.`,
  );
}
