import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CLIENTS } from '@mai/client-settings';
import { startSimulator } from '@mai/lmstudio-simulator';
import { runMai } from '../../test/run-mai.js';
import { CONNECT_CLIENTS } from '../arguments/choices.js';

let homeFolder: string;
const file = () => path.join(homeFolder, '.aider.conf.yml');

beforeEach(() => {
  homeFolder = mkdtempSync(path.join(tmpdir(), 'mai-connect-'));
});
afterEach(() => rmSync(homeFolder, { recursive: true }));

const mai = (...argv: string[]) => runMai(['connect', ...argv], { homeFolder });

test('the command line knows every client', () => {
  expect(CONNECT_CLIENTS).toEqual(CLIENTS.map(({ name }) => name));
});

test('lists the clients, as text and as JSON', async () => {
  writeFileSync(file(), 'model: x\n');
  expect((await mai()).out).toMatch(/^aider +found +not connected +\S+\.aider\.conf\.yml$/m);
  const { clients } = (await mai('--json')).json();
  expect(clients).toContainEqual({
    client: 'aider',
    found: true,
    file: file(),
    state: 'not connected',
    address: null,
  });
});

test.each(CONNECT_CLIENTS)('prints the settings of %s with the address', async (name) => {
  const { out, exitCode } = await mai(name, '--gateway', 'http://10.0.0.5:8080', '--model', 'm7');
  expect(exitCode).toBe(0);
  expect(out).toContain('http://10.0.0.5:8080');
  // In Open WebUI, a person chooses the model.
  expect(out.includes('m7')).toBe(name !== 'open-webui');
});

test('prints, writes and takes back the settings of a client', async () => {
  writeFileSync(file(), '# mine\nmodel: x\n');
  const printed = await mai('aider');
  expect(printed.out).toContain('openai-api-base: http://127.0.0.1:11435/v1');
  const planned = await mai('aider', '--dry-run');
  expect(planned.out).toContain('+ model: openai/auto');
  expect(readFileSync(file(), 'utf8')).toBe('# mine\nmodel: x\n');

  const written = await mai('aider', '--write', '--json');
  expect(written.json()).toMatchObject({
    file: file(),
    changed: true,
    backup: `${file()}.mai-backup`,
  });
  expect(readFileSync(file(), 'utf8')).toContain('model: openai/auto');
  expect((await mai('aider', '--undo', '--dry-run')).out).toContain('- model: openai/auto');
  const undone = await mai('aider', '--undo');
  expect(undone).toMatchObject({ exitCode: 0, err: '' });
  expect(readFileSync(file(), 'utf8')).toBe('# mine\nmodel: x\n');
  expect(existsSync(`${file()}.mai-backup`)).toBe(false);
});

test('tests the requests of a client, and ends with 9 if one fails', async () => {
  await using simulator = await startSimulator({ speed: 1000 });
  const to = ['--gateway', simulator.httpUrl, '--model', 'qwen/qwen3-4b'];
  const good = await mai('aider', '--test', ...to);
  expect(good).toMatchObject({ exitCode: 0 });
  expect(good.out).toMatch(/^ok .*list of models/);
  expect(good.err).toMatch(/^Waiting for GET \/v1\/models.* \(list of models\), 5 min at most\.\n/);
  const bad = await mai('claude-code', '--test', '--json', ...to);
  expect(bad).toMatchObject({ exitCode: 9 });
  expect(bad.json()).toMatchObject({
    ok: false,
    results: [{ ok: true }, { ok: true }, { ok: false }],
  });
});

test.each([
  [['cursor', '--write'], /Cursor has no settings file/],
  [['aider', '--write', '--undo'], /--write and --undo exclude each other/],
  [['--write'], /--write needs CLIENT/],
  [['vim'], /vim/],
  [['aider', '--gateway', 'nonsense'], /not the address of a gateway/],
])('mai connect %j is a usage error', async (argv, message) => {
  const { exitCode, err } = await mai(...argv);
  expect(exitCode).toBe(2);
  expect(err).toMatch(message);
});
