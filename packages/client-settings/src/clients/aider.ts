import { chatRequests } from '../probe/chat-requests.js';
import { type Client, joinPath } from './client.js';
import { keyOf, openAiUrl } from '../gateway-access.js';

// Sources:
// - https://aider.chat/docs/config/aider_conf.html: the file in the home folder, the git root or the current folder;
//   later files win.
// - https://aider.chat/docs/llms/openai-compat.html: the prefix `openai/`, and the variables.
// - https://aider.chat/docs/config/api-keys.html: `openai-api-key` in the file.

export const AIDER: Client = {
  name: 'aider',
  title: 'aider',
  file: {
    format: 'yaml',
    places: (machine) => [joinPath(machine, machine.homeFolder, '.aider.conf.yml')],
    settings: (access) => [
      { path: ['model'], value: `openai/${access.model}` },
      // aider writes commit messages and summaries with this model.
      { path: ['weak-model'], value: `openai/${access.model}` },
      { path: ['openai-api-base'], value: openAiUrl(access) },
      { path: ['openai-api-key'], value: keyOf(access) },
    ],
    address: ['openai-api-base'],
  },
  environment: (access) => ({
    OPENAI_API_BASE: openAiUrl(access),
    OPENAI_API_KEY: keyOf(access),
    AIDER_MODEL: `openai/${access.model}`,
    AIDER_WEAK_MODEL: `openai/${access.model}`,
  }),
  steps: () => ['A file .aider.conf.yml in a repository wins over the one in the home folder.'],
  traces: (machine) => [
    joinPath(machine, machine.homeFolder, '.aider.conf.yml'),
    joinPath(machine, machine.homeFolder, '.aider'),
  ],
  programs: ['aider'],
  requests: (access) => chatRequests(access, { agent: 'aider (litellm)', tools: false }),
};
