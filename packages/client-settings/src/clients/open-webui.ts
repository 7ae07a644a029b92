import { chatRequests } from '../probe/chat-requests.js';
import { type Client } from './client.js';
import { keyOf, openAiUrl } from '../gateway-access.js';

// Source: https://docs.openwebui.com/getting-started/env-configuration/: OPENAI_API_BASE_URLS and OPENAI_API_KEYS are
// lists with semicolons. Both are PersistentConfig: Open WebUI reads them at its first start only, and later uses
// the values of its database, which another program may not write.

export const OPEN_WEBUI: Client = {
  name: 'open-webui',
  title: 'Open WebUI',
  file: null,
  environment: (access) => ({
    OPENAI_API_BASE_URLS: openAiUrl(access),
    OPENAI_API_KEYS: keyOf(access),
  }),
  steps: (access) => [
    'Open WebUI reads these variables at its first start only.',
    `Later: Admin Panel, Settings, Connections, add an OpenAI connection with the URL ${openAiUrl(access)} and the key ${keyOf(access)}.`,
    `In a container, 127.0.0.1 is the container itself. Use http://host.docker.internal with the gateway's port, and start \`mai serve\` with --allow-host host.docker.internal. On Linux the gateway must also listen on the bridge's address, which needs an API key.`,
  ],
  traces: () => [],
  programs: ['open-webui'],
  requests: (access) => chatRequests(access, { agent: 'Open WebUI', tools: false }),
};
