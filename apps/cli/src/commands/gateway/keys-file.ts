import path from 'node:path';
import type { Host } from '@mai/host';
import type { Input } from '../../command-line/input.js';
import type { CommandContext } from '../../context.js';

/** The file with the API keys of the gateway. */
export function keysFileOf(host: Host, { io }: CommandContext, input: Input): string {
  const given = input.text('keys');
  return given === null
    ? path.join(host.folders.config, 'gateway-keys.json')
    : path.resolve(io.cwd, given);
}
