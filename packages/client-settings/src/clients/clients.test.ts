import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryHome } from '../../test/temporary-home.js';
import {
  CLIENTS,
  describeStatuses,
  findClient,
  gatewayAccess,
  type Machine,
  statusOf,
} from '../index.js';

const linux: Machine = { platform: 'linux', homeFolder: '/home/ada', env: {} };
const mac: Machine = { platform: 'darwin', homeFolder: '/Users/ada', env: {} };
const windows: Machine = {
  platform: 'win32',
  homeFolder: 'C:\\Users\\ada',
  env: { APPDATA: 'C:\\Users\\ada\\AppData\\Roaming' },
};

test.each([
  ['claude-code', linux, '/home/ada/.claude/settings.json'],
  ['claude-code', mac, '/Users/ada/.claude/settings.json'],
  ['claude-code', windows, 'C:\\Users\\ada\\.claude\\settings.json'],
  ['claude-code', { ...linux, env: { CLAUDE_CONFIG_DIR: '/c' } }, '/c/settings.json'],
  ['codex', linux, '/home/ada/.codex/config.toml'],
  ['codex', mac, '/Users/ada/.codex/config.toml'],
  ['codex', windows, 'C:\\Users\\ada\\.codex\\config.toml'],
  ['codex', { ...linux, env: { CODEX_HOME: '/c' } }, '/c/config.toml'],
  ['zed', linux, '/home/ada/.config/zed/settings.json'],
  ['zed', { ...linux, env: { XDG_CONFIG_HOME: '/c' } }, '/c/zed/settings.json'],
  ['zed', { ...mac, env: { XDG_CONFIG_HOME: '/c' } }, '/Users/ada/.config/zed/settings.json'],
  ['zed', windows, 'C:\\Users\\ada\\AppData\\Roaming\\Zed\\settings.json'],
  ['zed', { ...windows, env: {} }, 'C:\\Users\\ada\\AppData\\Roaming\\Zed\\settings.json'],
  ['continue', linux, '/home/ada/.continue/config.yaml'],
  ['continue', mac, '/Users/ada/.continue/config.yaml'],
  ['continue', windows, 'C:\\Users\\ada\\.continue\\config.yaml'],
  ['aider', linux, '/home/ada/.aider.conf.yml'],
  ['aider', mac, '/Users/ada/.aider.conf.yml'],
  ['aider', windows, 'C:\\Users\\ada\\.aider.conf.yml'],
  ['opencode', linux, '/home/ada/.config/opencode/opencode.json'],
  ['opencode', mac, '/Users/ada/.config/opencode/opencode.json'],
  ['opencode', windows, 'C:\\Users\\ada\\.config\\opencode\\opencode.json'],
  ['opencode', { ...linux, env: { XDG_CONFIG_HOME: '/c' } }, '/c/opencode/opencode.json'],
] as const)('the settings of %s are at a known place (%j)', (name, machine, file) => {
  expect(findClient(name).file?.places(machine).at(-1)).toBe(file);
});

test('every client says what a person has to do, with the address of the gateway', async () => {
  const access = await gatewayAccess({ url: 'http://10.0.0.5:8080/v1/' });
  for (const client of CLIENTS) {
    const settings = client.file?.settings(access) ?? [];
    const all = JSON.stringify([settings, client.environment(access), client.steps(access, null)]);
    expect(all).toContain('http://10.0.0.5:8080');
    expect(client.steps(access, null).length).toBeGreaterThan(0);
  }
});

test("the step for Continue's command line names the file that was written, as one word of a shell", async () => {
  const access = await gatewayAccess();
  const steps = (file: string) => findClient('continue').steps(access, file).join(' ');
  expect(steps('/home/ada/.continue/config.yaml')).toContain(
    'cn --config /home/ada/.continue/config.yaml. ',
  );
  expect(steps('C:\\Ada L\\config.yaml')).toContain('cn --config "C:\\Ada L\\config.yaml". ');
});

test('a client is found by its folder, by its program or by its extension', async () => {
  using home = temporaryHome();
  const bin = path.join(home.homeFolder, 'bin');
  mkdirSync(path.join(home.homeFolder, '.cursor'));
  mkdirSync(path.join(home.homeFolder, '.vscode/extensions/saoudrizwan.claude-dev-3.1.0'), {
    recursive: true,
  });
  mkdirSync(bin);
  writeFileSync(path.join(bin, 'codex'), '');
  const machine = { ...home, env: { PATH: `/nowhere:${bin}` } };
  const access = await gatewayAccess();
  const statuses = await Promise.all(CLIENTS.map((client) => statusOf(client, access, machine)));
  const found = statuses.filter((status) => status.found).map(({ client }) => client.name);
  expect(found).toEqual(['codex', 'cline', 'cursor']);
  expect(describeStatuses(statuses).split('\n').slice(0, 4)).toEqual([
    `claude-code  not found  not connected  ${path.join(home.homeFolder, '.claude/settings.json')}`,
    `codex        found      not connected  ${path.join(home.homeFolder, '.codex/config.toml')}`,
    `zed          not found  not connected  ${path.join(home.homeFolder, '.config/zed/settings.json')}`,
    'cline        found      set by hand',
  ]);
});

test('a file with another address is reported', async () => {
  using home = temporaryHome();
  writeFileSync(
    path.join(home.homeFolder, '.aider.conf.yml'),
    'openai-api-base: https://api.example/v1\n',
  );
  const status = await statusOf(findClient('aider'), await gatewayAccess(), home);
  expect(status).toMatchObject({ state: 'elsewhere', address: 'https://api.example/v1' });
  expect(describeStatuses([status])).toBe('aider  found  elsewhere  https://api.example/v1\n');
});

test.each([
  [{ url: 'localhost:11435' }, /is not the address of a gateway/],
  [{ url: 'http://127.0.0.1:11435/api' }, /is not the address of a gateway/],
  [{ model: 'two words' }, /is not a model name/],
  [{ keyFile: '/nowhere/key' }, /does not exist/],
] as const)('%j is refused', async (options, message) => {
  await expect(gatewayAccess(options)).rejects.toThrow(message);
});

test('a file with more than a key is refused as a key file', async () => {
  using home = temporaryHome();
  const keyFile = path.join(home.homeFolder, 'key');
  writeFileSync(keyFile, 'one\ntwo\n');
  await expect(gatewayAccess({ keyFile })).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
});

test('an unknown client is refused with the names of all', () => {
  expect(() => findClient('vim')).toThrow(/no client "vim".*claude-code, codex/);
});
