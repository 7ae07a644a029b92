import { messagesRequests } from '../probe/messages-requests.js';
import {
  type Client,
  folderFrom,
  type GatewayAccess,
  joinPath,
  keyOf,
  type Machine,
} from './client.js';

// Sources:
// - https://code.claude.com/docs/en/llm-gateway and /llm-gateway-protocol: ANTHROPIC_BASE_URL (without /v1),
//   ANTHROPIC_AUTH_TOKEN, the endpoints /v1/messages and /v1/messages/count_tokens, the headers anthropic-*.
// - https://opencode.ai/v2/docs/console/harnesses/claude-code/: the same in ~/.claude/settings.json, `env`, and the
//   variables for the names opus, sonnet and haiku. Claude Code's own background requests use the haiku name.
// - https://dev.to/aihubmix/claude-code-settingsjson-for-an-llm-gateway-a-working-setup-and-what-each-error-means-g5m:
//   %USERPROFILE%\.claude\settings.json on Windows; `env` of the file wins over the shell; with ANTHROPIC_API_KEY set,
//   both keys are sent.
// CLAUDE_CONFIG_DIR moves the folder.

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
  ],
  traces: (machine) => [folder(machine)],
  programs: ['claude'],
  requests: messagesRequests,
};
