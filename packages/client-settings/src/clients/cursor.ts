import { chatRequests } from '../probe/chat-requests.js';
import { type Client, joinPath } from './client.js';

// Sources: https://ngrok.com/docs/gateway/examples/cursor-local-llm (Cursor sends each request through its own servers,
// so that the address must be reachable from the internet) and https://ngrok.com/docs/ai-gateway/agents/cursor (where
// to click; a paid plan). Cursor keeps these settings in its own storage, not in a settings file.
// https://docs.merge.dev/merge-gateway/coding-agents/cursor and https://docs.haimaker.ai/docs/tutorials/cursor_integration:
// only the modes Ask and Plan use them.

export const CURSOR: Client = {
  name: 'cursor',
  title: 'Cursor',
  file: null,
  environment: () => ({}),
  steps: (access) => [
    `Cursor sends every request through its own servers. They cannot reach ${access.url}, so the gateway needs a public HTTPS address, for example through a tunnel.`,
    'Whoever knows that address can use your models. Give the gateway an API key first.',
    'Cursor Settings, Models, API Keys: turn on OpenAI API Key and paste the key of the gateway.',
    'Turn on Override OpenAI Base URL and enter the public address with /v1 at its end.',
    `Press Add model, enter ${access.model} and enable it. This needs a paid plan of Cursor.`,
    "Choose the model in Ask or Plan mode. Agent mode and completions use Cursor's own models.",
  ],
  traces: (machine) => [joinPath(machine, machine.homeFolder, '.cursor')],
  programs: ['cursor'],
  requests: (access) => chatRequests(access, { agent: 'Cursor', tools: true }),
};
