import { CONNECT_CLIENTS } from '../../arguments/choices.js';
import type { CommandSpec } from '../../arguments/command-spec.js';
import { DRY_RUN } from '../../arguments/shared-options.js';

const needs = ['CLIENT'] as const;

/** `mai connect`. */
export const CONNECT: CommandSpec = {
  name: 'connect',
  summary:
    'print the settings that point a client at `mai serve`; without CLIENT, list the clients',
  arguments: [
    {
      name: 'CLIENT',
      required: false,
      summary: CONNECT_CLIENTS.join(', '),
      choices: CONNECT_CLIENTS,
    },
  ],
  options: [
    { name: 'write', needs, summary: 'put the settings in place, and keep a copy of the old file' },
    { name: 'undo', needs, summary: 'take back what --write changed' },
    { ...DRY_RUN, needs },
    {
      name: 'test',
      needs,
      summary: "send the client's requests to the gateway, and check the answers",
    },
    {
      name: 'gateway',
      value: 'URL',
      summary: 'address of the gateway (default: http://127.0.0.1:11435)',
    },
    { name: 'model', value: 'NAME', summary: 'model that the client asks for (default: auto)' },
    {
      name: 'key-file',
      value: 'FILE',
      summary: 'file with the API key of the gateway',
      completes: 'file',
    },
  ],
  examples: [
    ['mai connect claude-code --write', 'point Claude Code at the gateway'],
    ['mai connect claude-code --undo', 'restore the old settings'],
  ],
  load: async () => (await import('../../commands/connect.js')).run,
};
