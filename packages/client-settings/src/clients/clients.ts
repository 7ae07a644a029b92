import { ClientSettingsError } from '../client-settings-error.js';
import { AIDER } from './aider.js';
import { CLAUDE_CODE } from './claude-code.js';
import { CLINE } from './cline.js';
import type { Client } from './client.js';
import { CODEX } from './codex.js';
import { CONTINUE } from './continue.js';
import { CURSOR } from './cursor.js';
import { OPEN_WEBUI } from './open-webui.js';
import { OPENCODE } from './opencode.js';
import { ZED } from './zed.js';

/** Every client that this package knows. */
export const CLIENTS: readonly Client[] = [
  CLAUDE_CODE,
  CODEX,
  ZED,
  CLINE,
  CONTINUE,
  OPEN_WEBUI,
  AIDER,
  OPENCODE,
  CURSOR,
];

/**
 * The client with a name, such as `claude-code`.
 *
 * @throws ClientSettingsError `INVALID_REQUEST`
 */
export function findClient(name: string): Client {
  const client = CLIENTS.find((one) => one.name === name);
  if (client !== undefined) return client;
  const names = CLIENTS.map((one) => one.name).join(', ');
  throw new ClientSettingsError(
    'INVALID_REQUEST',
    `There is no client ${JSON.stringify(name)}. The clients are: ${names}.`,
  );
}
