import { messagesRequests } from '../probe/messages-requests.js';
import {
  type Client,
  CONTEXT_WINDOW_TOKENS,
  folderFrom,
  joinPath,
  type Machine,
} from './client.js';
import { type GatewayAccess, keyOf } from '../gateway-access.js';

// Sources:
// - https://code.claude.com/docs/en/llm-gateway and /llm-gateway-protocol: ANTHROPIC_BASE_URL (without /v1),
//   ANTHROPIC_AUTH_TOKEN, the endpoints /v1/messages and /v1/messages/count_tokens, the headers anthropic-*.
// - https://opencode.ai/v2/docs/console/harnesses/claude-code/: the same in ~/.claude/settings.json, `env`, and the
//   variables for the names opus, sonnet and haiku. Claude Code's own background requests use the haiku name.
// - https://dev.to/aihubmix/claude-code-settingsjson-for-an-llm-gateway-a-working-setup-and-what-each-error-means-g5m:
//   %USERPROFILE%\.claude\settings.json on Windows; `env` of the file wins over the shell; with ANTHROPIC_API_KEY set,
//   both keys are sent.
// CLAUDE_CONFIG_DIR moves the folder.
// Tried with Claude Code 2.1.332: it assumes a window of a million tokens for a model that it does not know, and names
// https://code.claude.com/docs/en/model-config for CLAUDE_CODE_MAX_CONTEXT_TOKENS. From 2.1.154 on it sends system messages
// between the turns, which LM Studio takes from 0.4.15 on (lmstudio-bug-tracker #2204).
// From 2.1.36 on, its instructions begin with a line that changes with every request, so that an engine reads the whole prompt
// again. CLAUDE_CODE_ATTRIBUTION_HEADER=0 leaves it out (musistudio/claude-code-router #1220, anthropics/claude-code #24168).

/** The variables of Claude Code. Every model name is the same, so that no background request causes a switch. */
function environment(access: GatewayAccess): Readonly<Record<string, string>> {
  return {
    ANTHROPIC_BASE_URL: access.url,
    ANTHROPIC_AUTH_TOKEN: keyOf(access),
    ANTHROPIC_MODEL: access.model,
    ANTHROPIC_DEFAULT_OPUS_MODEL: access.model,
    ANTHROPIC_DEFAULT_SONNET_MODEL: access.model,
    ANTHROPIC_DEFAULT_HAIKU_MODEL: access.model,
    // The name of the variable above in older versions.
    ANTHROPIC_SMALL_FAST_MODEL: access.model,
    CLAUDE_CODE_MAX_CONTEXT_TOKENS: String(CONTEXT_WINDOW_TOKENS),
    CLAUDE_CODE_ATTRIBUTION_HEADER: '0',
  };
}

function folder(machine: Machine): string {
  return folderFrom(machine, 'CLAUDE_CONFIG_DIR', ['.claude']);
}

export const CLAUDE_CODE: Client = {
  name: 'claude-code',
  title: 'Claude Code',
  file: {
    format: 'jsonc',
    places: (machine) => [joinPath(machine, folder(machine), 'settings.json')],
    settings: (access) =>
      Object.entries(environment(access)).map(([name, value]) => ({ path: ['env', name], value })),
    address: ['env', 'ANTHROPIC_BASE_URL'],
  },
  environment,
  steps: () => [
    'Remove ANTHROPIC_API_KEY from your environment: Claude Code would send it beside the token.',
    'Start Claude Code again. `/status` shows the address.',
    'With LM Studio, Claude Code needs version 0.4.15 or later. With much or little memory, change CLAUDE_CODE_MAX_CONTEXT_TOKENS: at this size it shortens the conversation.',
  ],
  traces: (machine) => [folder(machine)],
  programs: ['claude'],
  requests: messagesRequests,
};
