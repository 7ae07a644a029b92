import { chatRequests } from '../probe/chat-requests.js';
import { type Client, folderFrom, joinPath, type Machine } from './client.js';
import { keyOf, openAiUrl } from '../gateway-access.js';

// Sources:
// - https://docs.continue.dev/reference: `name`, `version` and `schema` are required; `models` is a list.
// - https://docs.continue.dev/customize/model-providers/top-level/openai: `provider: openai` with `apiBase`.
// - https://docs.continue.dev/yaml-migration: ~/.continue (%USERPROFILE%\.continue); where config.yaml exists,
//   config.json is not read.
// - Tried with `cn` of @continuedev/cli 1.5.47, which reads the same file. Until its first start is over, `cn` asks for an Anthropic
//   key, which it writes into the file, unless its terminal is none or `--config` names a file.
// - CONTINUE_GLOBAL_DIR moves the folder (core/util/paths.ts of https://github.com/continuedev/continue).

const FILE_NAME = 'config.yaml';
const ENTRY = { key: 'name', is: 'Mai' } as const;

function folder(machine: Machine): string {
  return folderFrom(machine, 'CONTINUE_GLOBAL_DIR', ['.continue']);
}

/** A path as one word of a shell. */
function quoted(place: string): string {
  return /^[\w./\\:~-]+$/.test(place) ? place : `"${place}"`;
}

export const CONTINUE: Client = {
  name: 'continue',
  title: 'Continue',
  file: {
    format: 'yaml',
    places: (machine) => [joinPath(machine, folder(machine), FILE_NAME)],
    settings: (access) => [
      { path: ['name'], value: 'Local Config', required: true },
      { path: ['version'], value: '1.0.0', required: true },
      { path: ['schema'], value: 'v1', required: true },
      {
        path: ['models', ENTRY],
        value: {
          name: ENTRY.is,
          provider: 'openai',
          model: access.model,
          apiBase: openAiUrl(access),
          apiKey: keyOf(access),
          roles: ['chat', 'edit', 'apply'],
          capabilities: ['tool_use'],
        },
      },
    ],
    address: ['models', ENTRY, 'apiBase'],
    hides: (machine) => joinPath(machine, folder(machine), 'config.json'),
  },
  environment: () => ({}),
  steps: (_access, file) => [
    'Choose Mai in the list of models below the chat.',
    `Start Continue's command line as: cn --config ${quoted(file ?? FILE_NAME)}. Without --config, it asks for an Anthropic key at its first start.`,
  ],
  traces: (machine) => [folder(machine)],
  programs: ['cn'],
  requests: (access) =>
    chatRequests(access, {
      agent: 'ls/JS 5.23.2',
      tools: true,
      headers: { accept: 'application/json', 'x-stainless-retry-count': '0' },
      maxTokens: null,
    }),
};
