import type { ClientName } from '../src/index.js';

/** A settings file as a person wrote it, and the same file after `mai connect CLIENT --write`. */
export interface ClientSample {
  readonly client: ClientName;
  /** Path below the home folder on Linux. */
  readonly file: string;
  readonly before: string;
  readonly after: string;
  /** A change by somebody else, after `--write`. */
  readonly foreign: readonly [find: string, replace: string];
  /** The file after that change and `--undo`. */
  readonly undone: string;
}

export const SAMPLES: readonly ClientSample[] = [
  {
    client: 'claude-code',
    file: '.claude/settings.json',
    before: `{
    "permissions": { "allow": ["Bash(ls:*)"] },
    "env": {
        "EDITOR": "vi",
        "ANTHROPIC_MODEL": "opus"
    }
}
`,
    after: `{
    "permissions": { "allow": ["Bash(ls:*)"] },
    "env": {
        "EDITOR": "vi",
        "ANTHROPIC_MODEL": "auto",
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:11435",
        "ANTHROPIC_AUTH_TOKEN": "mai",
        "ANTHROPIC_DEFAULT_OPUS_MODEL": "auto",
        "ANTHROPIC_DEFAULT_SONNET_MODEL": "auto",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "auto",
        "ANTHROPIC_SMALL_FAST_MODEL": "auto",
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "65536",
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0"
    }
}
`,
    foreign: ['"EDITOR": "vi"', '"EDITOR": "emacs"'],
    undone: `{
    "permissions": { "allow": ["Bash(ls:*)"] },
    "env": {
        "EDITOR": "emacs",
        "ANTHROPIC_MODEL": "opus"
    }
}
`,
  },
  {
    client: 'codex',
    file: '.codex/config.toml',
    before: `# My Codex
model = "gpt-6" # the big one
approval_policy = "on-request"
notify = [
  "notify-send",
  "[done]",
]

# Servers
[mcp_servers.docs]
command = "docs"
`,
    after: `# My Codex
model = "auto" # the big one
approval_policy = "on-request"
notify = [
  "notify-send",
  "[done]",
]
model_provider = "mai"
model_context_window = 65536

# Servers
[mcp_servers.docs]
command = "docs"

[agents]
enabled = false

[mcp_servers.codex_tui]
command = "codex"
enabled = false

[model_providers.mai]
name = "Mai"
base_url = "http://127.0.0.1:11435/v1"
wire_api = "responses"
stream_idle_timeout_ms = 3600000
`,
    foreign: ['command = "docs"', 'command = "other"'],
    undone: `# My Codex
model = "gpt-6" # the big one
approval_policy = "on-request"
notify = [
  "notify-send",
  "[done]",
]

# Servers
[mcp_servers.docs]
command = "other"
`,
  },
  {
    client: 'zed',
    file: '.config/zed/settings.json',
    before: `// Zed settings
{
  "vim_mode": true, // always
  "agent": {
    "dock": "right",
    "default_model": { "provider": "zed.dev", "model": "claude" },
  },
}
`,
    after: `// Zed settings
{
  "vim_mode": true, // always
  "agent": {
    "dock": "right",
    "default_model": { "provider": "lmstudio", "model": "auto" },
  },
  "language_models": {
    "lmstudio": {
      "api_url": "http://127.0.0.1:11435/api/v0"
    }
  },
}
`,
    foreign: ['"vim_mode": true', '"vim_mode": false'],
    undone: `// Zed settings
{
  "vim_mode": false, // always
  "agent": {
    "dock": "right",
    "default_model": { "provider": "zed.dev", "model": "claude" },
  },
}
`,
  },
  {
    client: 'continue',
    file: '.continue/config.yaml',
    before: `name: My Config # mine
version: 1.0.0
schema: v1
models:
  # The one in the cloud
  - name: Cloud
    provider: openai
    model: gpt-6
context:
  - provider: code
`,
    after: `name: My Config # mine
version: 1.0.0
schema: v1
models:
  # The one in the cloud
  - name: Cloud
    provider: openai
    model: gpt-6
  - name: Mai
    provider: openai
    model: auto
    apiBase: http://127.0.0.1:11435/v1
    apiKey: mai
    roles: [chat, edit, apply]
    capabilities: [tool_use]
context:
  - provider: code
`,
    foreign: ['model: gpt-6', 'model: gpt-6-mini'],
    undone: `name: My Config # mine
version: 1.0.0
schema: v1
models:
  # The one in the cloud
  - name: Cloud
    provider: openai
    model: gpt-6-mini
context:
  - provider: code
`,
  },
  {
    client: 'aider',
    file: '.aider.conf.yml',
    before: `# aider
dark-mode: true
model: sonnet   # my favourite
read: [CONVENTIONS.md]
`,
    after: `# aider
dark-mode: true
model: openai/auto   # my favourite
read: [CONVENTIONS.md]
weak-model: openai/auto
openai-api-base: http://127.0.0.1:11435/v1
openai-api-key: mai
`,
    foreign: ['dark-mode: true', 'dark-mode: false'],
    undone: `# aider
dark-mode: false
model: sonnet   # my favourite
read: [CONVENTIONS.md]
`,
  },
  {
    client: 'opencode',
    file: '.config/opencode/opencode.json',
    before: `{
  "$schema": "https://opencode.ai/config.json",
  // Quiet, please
  "autoupdate": false,
  "provider": {
    "anthropic": {}
  }
}
`,
    after: `{
  "$schema": "https://opencode.ai/config.json",
  // Quiet, please
  "autoupdate": false,
  "provider": {
    "anthropic": {},
    "mai": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "Mai",
      "options": {
        "baseURL": "http://127.0.0.1:11435/v1",
        "apiKey": "mai"
      },
      "models": {
        "auto": {
          "name": "auto",
          "limit": {
            "context": 65536,
            "output": 8192
          }
        }
      }
    }
  },
  "model": "mai/auto",
  "small_model": "mai/auto"
}
`,
    foreign: ['"autoupdate": false', '"autoupdate": true'],
    undone: `{
  "$schema": "https://opencode.ai/config.json",
  // Quiet, please
  "autoupdate": true,
  "provider": {
    "anthropic": {}
  }
}
`,
  },
];
