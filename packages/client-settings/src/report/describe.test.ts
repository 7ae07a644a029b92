import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryHome } from '../../test/temporary-home.js';
import {
  CLIENTS,
  describeClient,
  describeConnection,
  describeUndo,
  findClient,
  gatewayAccess,
  planConnection,
  planUndo,
  writeConnection,
} from '../index.js';
import { lineDiff } from './line-diff.js';

const access = { url: 'http://127.0.0.1:11435', model: 'auto', apiKey: 'mai-secret' };

test.each(CLIENTS.map(({ name }) => name))(
  'the text for %s names the address and hides the key',
  async (name) => {
    using home = temporaryHome();
    const text = await describeClient(findClient(name), access, home);
    expect(text).toContain('127.0.0.1:11435');
    expect(text).not.toContain('mai-secret');
  },
);

test('the text for Codex shows the file as it would be, and what a person does', async () => {
  const machine = { platform: 'linux', homeFolder: '/nowhere', env: {} } as const;
  const text = await describeClient(findClient('codex'), await gatewayAccess(), machine);
  expect(text).toBe(`In /nowhere/.codex/config.toml:

  model = "auto"
  model_provider = "mai"
  model_context_window = 65536

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

- Start Codex again: it reads the file only at its start.
- Interrupt a request with Escape before you close the terminal: otherwise Codex goes on with it in the background.
- LM Studio refuses the tools of MCP servers as Codex sends them (lmstudio-bug-tracker #1810). Without MCP servers, or with the embedded engine, Codex works.

\`mai connect codex --write\` puts the file in place and keeps a copy of the old one.
`);
});

test('environment variables have the syntax of the platform', async () => {
  const client = findClient('open-webui');
  const machine = { homeFolder: '/nowhere', env: {} };
  expect(await describeClient(client, access, { ...machine, platform: 'darwin' })).toContain(
    "  export OPENAI_API_KEYS='YOUR-KEY'",
  );
  expect(await describeClient(client, access, { ...machine, platform: 'win32' })).toContain(
    '  setx OPENAI_API_KEYS "YOUR-KEY"',
  );
});

test('a dry run shows the changed lines only, without the key', async () => {
  using home = temporaryHome();
  const file = path.join(home.homeFolder, '.aider.conf.yml');
  writeFileSync(file, 'a: 1\nb: 2\nc: 3\nmodel: x\nd: 4\n');
  chmodSync(file, 0o644);
  const plan = await planConnection(findClient('aider'), access, home);
  expect(describeConnection(plan, access, false)).toBe(`${file}
  ...
  b: 2
  c: 3
- model: x
+ model: openai/auto
  d: 4
+ weak-model: openai/auto
+ openai-api-base: http://127.0.0.1:11435/v1
+ openai-api-key: YOUR-KEY
Only the owner of the file will be able to read it, because it contains an API key.
`);
  await writeConnection(plan);
  expect(describeConnection(plan, access, true)).toContain(
    `The file as it was: ${file}.mai-backup`,
  );
  const again = await planConnection(findClient('aider'), access, home);
  expect(describeConnection(again, access, true)).toBe(`aider is connected already: ${file}\n`);

  writeFileSync(file, 'model: mine\n');
  const undo = await planUndo(findClient('aider'), home);
  const text = describeUndo(undo, access, true);
  expect(text).toContain('was changed after mai had written it');
  expect(text).toContain('Left as they are, because they were changed: model.');
});

test('undo without a connection says so', async () => {
  using home = temporaryHome();
  mkdirSync(path.join(home.homeFolder, '.codex'));
  const plan = await planUndo(findClient('codex'), home);
  expect(describeUndo(plan, access, true)).toMatch(/was not written by mai/);
});

test.each([
  ['a\nb\n', 'a\nb\n', ''],
  ['', 'a\n', '+ a'],
  ['a\n', '', '- a'],
  ['a\nb\nc\n', 'a\nc\n', '  a\n- b\n  c'],
  ['1\n2\n3\n4\n5\n6\n7\n8\n', '1\n2\n3\n4\n5\n6\n7\nx\n', '  ...\n  6\n  7\n- 8\n+ x'],
  [
    'x\n1\n2\n3\n4\n5\n6\ny\n',
    'X\n1\n2\n3\n4\n5\n6\nY\n',
    '- x\n+ X\n  1\n  2\n  ...\n  5\n  6\n- y\n+ Y',
  ],
])('the difference of %j and %j', (before, after, expected) => {
  expect(lineDiff(before, after)).toBe(expected);
});
