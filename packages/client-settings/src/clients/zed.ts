import { zedRequests } from '../probe/chat-requests.js';
import { type Client, folderFrom, joinPath, type Machine } from './client.js';

// Sources:
// - https://github.com/zed-industries/zed, crates/lmstudio/src/lmstudio.rs: the provider `lmstudio` asks
//   `{api_url}/models` and `{api_url}/chat/completions`, with http://localhost:1234/api/v0 as default.
// - https://zed.dev/docs/ai/use-a-local-model: the models are found by Zed itself; a key is entered in the provider's
//   settings, or is in LMSTUDIO_API_KEY.
// - https://zed.dev/docs/ai/agent-settings: `agent.default_model`; keys are in the system's keychain.
// - https://zed.dev/docs/configuring-zed: ~/.config/zed on macOS and Linux, %APPDATA%\Zed on Windows.
// The place in a Flatpak is not known here.

function folder(machine: Machine): string {
  if (machine.platform === 'win32') {
    return joinPath(machine, folderFrom(machine, 'APPDATA', ['AppData', 'Roaming']), 'Zed');
  }
  const isMac = machine.platform === 'darwin';
  const base = isMac
    ? joinPath(machine, machine.homeFolder, '.config')
    : folderFrom(machine, 'XDG_CONFIG_HOME', ['.config']);
  return joinPath(machine, base, 'zed');
}

export const ZED: Client = {
  name: 'zed',
  title: 'Zed',
  file: {
    format: 'jsonc',
    places: (machine) => [joinPath(machine, folder(machine), 'settings.json')],
    settings: ({ url, model }) => [
      { path: ['language_models', 'lmstudio', 'api_url'], value: `${url}/api/v0` },
      { path: ['agent', 'default_model', 'provider'], value: 'lmstudio' },
      { path: ['agent', 'default_model', 'model'], value: model },
    ],
    address: ['language_models', 'lmstudio', 'api_url'],
  },
  environment: ({ apiKey }) => (apiKey === null ? {} : { LMSTUDIO_API_KEY: apiKey }),
  steps: ({ apiKey }) => [
    ...(apiKey === null
      ? []
      : [
          'Set LMSTUDIO_API_KEY where Zed starts, or run `agent: open settings` in Zed and enter the key at LM Studio: Zed keeps keys in the keychain.',
        ]),
    'If Zed already runs, press Connect at LM Studio in `agent: open settings`.',
  ],
  traces: (machine) => [folder(machine)],
  programs: ['zed', 'zeditor'],
  requests: zedRequests,
};
