import { chatRequests } from '../probe/chat-requests.js';
import {
  type Client,
  CONTEXT_WINDOW_TOKENS,
  folderFrom,
  joinPath,
  type Machine,
} from './client.js';
import { keyOf, openAiUrl } from '../gateway-access.js';

// Sources:
// - https://opencode.ai/docs/config/: ~/.config/opencode/opencode.json, JSON with comments; `model`, `small_model`.
// - https://opencode.ai/docs/providers/: a provider with `npm: @ai-sdk/openai-compatible` and `options.baseURL`.
// - https://opencode.ai/docs/migrate-v1/: version 2 reads the same file in the same form.
// - https://github.com/anomalyco/opencode/issues/3407: opencode.jsonc is read after opencode.json and wins.
// The folder follows XDG_CONFIG_HOME; that it is ~/.config on Windows, too, is documented only indirectly.

// Tried with opencode 1.18.33: without `limit` it never shortens a conversation, and asks for 32,000 tokens of output.

/** The tokens of context that opencode leaves free for an answer. */
const OUTPUT_TOKENS = 8192;
const PROVIDER = ['provider', 'mai'] as const;

function folder(machine: Machine): string {
  return joinPath(machine, folderFrom(machine, 'XDG_CONFIG_HOME', ['.config']), 'opencode');
}

export const OPENCODE: Client = {
  name: 'opencode',
  title: 'opencode',
  file: {
    format: 'jsonc',
    places: (machine) =>
      ['opencode.jsonc', 'opencode.json'].map((name) => joinPath(machine, folder(machine), name)),
    settings: (access) => [
      { path: [...PROVIDER, 'npm'], value: '@ai-sdk/openai-compatible' },
      { path: [...PROVIDER, 'name'], value: 'Mai' },
      { path: [...PROVIDER, 'options', 'baseURL'], value: openAiUrl(access) },
      { path: [...PROVIDER, 'options', 'apiKey'], value: keyOf(access) },
      { path: [...PROVIDER, 'models', access.model, 'name'], value: access.model },
      {
        path: [...PROVIDER, 'models', access.model, 'limit'],
        value: { context: CONTEXT_WINDOW_TOKENS, output: OUTPUT_TOKENS },
      },
      { path: ['model'], value: `mai/${access.model}` },
      // opencode writes titles with this model.
      { path: ['small_model'], value: `mai/${access.model}` },
    ],
    address: [...PROVIDER, 'options', 'baseURL'],
  },
  environment: () => ({}),
  steps: () => ['A file opencode.json in a project wins over this one.'],
  traces: (machine) => [folder(machine)],
  programs: ['opencode'],
  requests: (access) =>
    chatRequests(access, {
      agent: 'opencode/1.18.33 ai-sdk/provider-utils/4.0.23 runtime/bun/1.3.14',
      tools: true,
      headers: { accept: '*/*', 'x-session-id': 'ses_probe', 'x-session-affinity': 'ses_probe' },
      maxTokens: OUTPUT_TOKENS,
    }),
};
