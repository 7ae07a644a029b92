import { responsesRequests } from '../probe/responses-requests.js';
import {
  type Client,
  CONTEXT_WINDOW_TOKENS,
  folderFrom,
  joinPath,
  type Machine,
} from './client.js';
import { openAiUrl } from '../gateway-access.js';

// Sources:
// - https://github.com/openai/codex, codex-rs/core/src/model_provider_info.rs: the keys of a provider; without
//   `env_key` no key is sent; with `env_key` Codex refuses to start while the variable is missing.
// - https://dev.to/aihubmix/codex-configtoml-a-working-setup-and-what-each-error-means-2ghj (Codex 0.162): the place on
//   each platform; `wire_api = "responses"` is the only accepted value; the file is read only at the start.
// - CODEX_HOME moves the folder (docs/config.md of the repository).
// - https://github.com/openai/codex/issues/11698: built-in providers such as `openai` cannot be overridden in the file.

// Tried with Codex 0.171.0:
// - Its sub-agents are tools of the type `namespace`, which LM Studio refuses (lmstudio-bug-tracker #1810), so that every request
//   fails. `agents.enabled` is documented in https://developers.openai.com/codex/config-reference.
// - Its terminal interface brings an MCP server of its own, `codex_tui`, whose tools are such a namespace. `codex exec` does not. An
//   entry of this name in the file takes its place, and `enabled = false` keeps Codex from starting its command.
// - A request runs in Codex's background server, which goes on after the terminal was closed.
// - It does not ask a provider from the settings file for its models, and assumes a context of 272,000 tokens for a model that it
//   does not know.
// - Comments in a stream do not count as a sign of life: it gives up after `stream_idle_timeout_ms` without an event (300,000 by
//   default), and sends the request again.

/** An hour: a model may have to be loaded, and may read a long prompt for minutes. */
const STREAM_IDLE_TIMEOUT_MS = 3_600_000;
const KEY_VARIABLE = 'MAI_API_KEY';

function folder(machine: Machine): string {
  return folderFrom(machine, 'CODEX_HOME', ['.codex']);
}

export const CODEX: Client = {
  name: 'codex',
  title: 'Codex',
  file: {
    format: 'toml',
    places: (machine) => [joinPath(machine, folder(machine), 'config.toml')],
    settings: (access) => [
      { path: ['model'], value: access.model },
      { path: ['model_provider'], value: 'mai' },
      { path: ['model_context_window'], value: CONTEXT_WINDOW_TOKENS },
      { path: ['agents', 'enabled'], value: false },
      { path: ['mcp_servers', 'codex_tui'], value: { command: 'codex', enabled: false } },
      {
        path: ['model_providers', 'mai'],
        value: {
          name: 'Mai',
          base_url: openAiUrl(access),
          wire_api: 'responses',
          stream_idle_timeout_ms: STREAM_IDLE_TIMEOUT_MS,
          ...(access.apiKey === null ? {} : { env_key: KEY_VARIABLE }),
        },
      },
    ],
    address: ['model_providers', 'mai', 'base_url'],
  },
  environment: (access) => (access.apiKey === null ? {} : { [KEY_VARIABLE]: access.apiKey }),
  steps: (access) => [
    ...(access.apiKey === null
      ? []
      : [
          `Set ${KEY_VARIABLE} in your shell's profile: Codex reads the key from the environment only.`,
        ]),
    'Start Codex again: it reads the file only at its start.',
    'Interrupt a request with Escape before you close the terminal: otherwise Codex goes on with it in the background.',
    'LM Studio refuses the tools of MCP servers as Codex sends them (lmstudio-bug-tracker #1810). Without MCP servers, or with the embedded engine, Codex works.',
  ],
  traces: (machine) => [folder(machine)],
  programs: ['codex'],
  requests: responsesRequests,
};
