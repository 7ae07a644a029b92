import type { CommandSpec } from '../../arguments/command-spec.js';
import { DRY_RUN, SELECTION_OPTIONS } from '../../arguments/shared-options.js';

const FILE = { value: 'FILE', completes: 'file' } as const;
const KEYS_FILE = {
  ...FILE,
  name: 'keys',
  summary: 'file with the API keys (default: gateway-keys.json in the configuration folder)',
} as const;
const needs = ['fleet'] as const;

/** `mai serve`, and its API keys. */
export const GATEWAY: readonly CommandSpec[] = [
  {
    name: 'serve',
    summary: 'serve OpenAI, Anthropic and LM Studio clients from the model that fits, until Ctrl-C',
    options: [
      {
        name: 'port',
        value: 'PORT',
        summary: 'port to listen on; 0 takes a free one (default: 11435)',
      },
      {
        name: 'listen',
        value: 'ADDRESS',
        summary: 'address to listen on; any other than 127.0.0.1 needs an API key',
      },
      {
        name: 'allow-host',
        value: 'NAMES',
        summary:
          'further host names of this gateway, separated by commas, such as host.docker.internal',
      },
      {
        name: 'allow-origin',
        value: 'ORIGINS',
        summary: 'web pages and desktop apps that may use the gateway, such as app://obsidian.md',
      },
      { ...FILE, name: 'tls-cert', needs: ['tls-key'], summary: 'certificate in PEM' },
      { ...FILE, name: 'tls-key', needs: ['tls-cert'], summary: 'private key in PEM' },
      KEYS_FILE,
      { name: 'fleet', summary: 'use all machines of the fleet, and serve their requests' },
      { name: 'fleet-port', value: 'PORT', needs, summary: 'port for the fleet (default: 8899)' },
      {
        name: 'fleet-address',
        value: 'ADDRESS',
        needs,
        summary:
          'address at which the fleet reaches this machine (default: found, and found again)',
      },
      ...SELECTION_OPTIONS,
    ],
    examples: [
      ['mai serve', 'clients use http://127.0.0.1:11435/v1 and the model "auto"'],
      ['mai serve --listen 0.0.0.0', 'other machines may use it, too, with an API key'],
    ],
    load: async () => (await import('../../commands/gateway/serve.js')).run,
  },
  {
    name: 'keys',
    summary: 'list, make or remove the API keys of `mai serve`',
    arguments: [
      { name: 'ACTION', required: false, summary: 'add or remove', choices: ['add', 'remove'] },
      { name: 'NAME', required: false, summary: 'name of the key' },
    ],
    options: [
      {
        name: 'scopes',
        value: 'SCOPES',
        needs: ['NAME'],
        summary: 'inference, read or control, separated by commas (default: inference)',
      },
      {
        name: 'priority',
        value: 'NUMBER',
        needs: ['NAME'],
        summary: 'a higher number is served first (default: 0)',
      },
      KEYS_FILE,
      DRY_RUN,
    ],
    examples: [
      ['mai keys add laptop', 'print a new key, which is shown only once'],
      ['mai keys add admin --scopes inference,control', 'a key that may also load and unload'],
    ],
    load: async () => (await import('../../commands/gateway/keys.js')).run,
  },
];
