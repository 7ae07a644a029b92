import { chatRequests } from '../probe/chat-requests.js';
import { type Client, joinPath } from './client.js';
import { keyOf, openAiUrl } from '../gateway-access.js';

// Sources:
// - https://coder.com/docs/ai-coder/ai-gateway/clients/cline: the fields of `OpenAI Compatible`.
// - src/core/storage of https://github.com/cline/cline: the extension keeps settings in VS Code's own storage and keys in its
//   secret storage. VS Code's settings.json has no such keys. So a person must enter the settings in the extension.
// - https://github.com/cline/cline/issues/9656: `cline auth -p openai -k KEY -m MODEL -b URL` of the command line. Tried with Cline
//   3.0.65, which names the provider openai-compatible then. Its requests run in a background process, the hub, which goes on after
//   the terminal was closed or `cline` was killed.
// Whether the base URL may lack `/v1` is not known: reports contradict each other. With `/v1` it works (coder.com).

export const CLINE: Client = {
  name: 'cline',
  title: 'Cline',
  file: null,
  environment: () => ({}),
  steps: (access) => [
    "Cline keeps its settings in VS Code's own storage, which other programs cannot write.",
    'Open Cline in VS Code and press the gear.',
    'API Provider: OpenAI Compatible.',
    `Base URL: ${openAiUrl(access)}`,
    `OpenAI Compatible API Key: ${keyOf(access)}`,
    `Model ID: ${access.model}`,
    `For Cline's command line: cline auth -p openai -k ${keyOf(access)} -m ${access.model} -b ${openAiUrl(access)}`,
    'Interrupt a request before you close the terminal: otherwise Cline goes on with it in the background.',
  ],
  traces: (machine) => [
    joinPath(machine, machine.homeFolder, '.vscode', 'extensions', 'saoudrizwan.claude-dev-*'),
    joinPath(machine, machine.homeFolder, '.cline'),
  ],
  programs: ['cline'],
  requests: (access) =>
    chatRequests(access, {
      agent: 'ai-sdk/openai-compatible/3.0.37 ai-sdk/provider-utils/5.0.30 runtime/bun/1.3.13',
      tools: true,
      maxTokens: null,
    }),
};
