import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openWatchWorld, type WatchWorld } from '../../../test/watch-world.js';

// The built program in its own processes: `npm test` builds before it tests.
const MAI = path.join(__dirname, '..', '..', '..', 'bin', 'mai.js');

jest.setTimeout(60_000);

let world: WatchWorld;
let keysFolder: string;
beforeAll(() => {
  if (!existsSync(path.join(__dirname, '..', '..', '..', 'dist', 'main.cjs')))
    throw new Error('Not built: npm run build.');
});
beforeEach(async () => {
  world = await openWatchWorld();
  keysFolder = mkdtempSync(path.join(tmpdir(), 'mai-keys-'));
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  rmSync(keysFolder, { recursive: true });
});

const options = () => ({
  cwd: world.folder,
  env: {
    ...process.env,
    ...{ HOME: world.folder, USERPROFILE: world.folder, NO_COLOR: '1' },
    ...{ XDG_DATA_HOME: world.folder, XDG_CONFIG_HOME: world.folder },
    ...{ LOCALAPPDATA: world.folder, APPDATA: world.folder },
    ...{ MAI_LMSTUDIO_URL: world.simulator.httpUrl, MAI_CONFIG: world.configFile },
  },
});

function start(...argv: string[]) {
  const child = spawn(process.execPath, [MAI, ...argv], options());
  const written = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (written.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (written.stderr += chunk.toString()));
  const ended = new Promise<{ status: number | null; stdout: string; stderr: string }>(
    (resolve) => {
      child.once('close', (status) => resolve({ status, ...written }));
    },
  );
  return { child, ended };
}

const run = (...argv: string[]) => start(...argv).ended;

/** Starts `mai serve --json`, and reads its first line. */
async function serve(...argv: string[]) {
  const { child, ended } = start('serve', '--json', '--port', '0', ...argv);
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    void ended.then(({ stderr }) => reject(new Error(`It ended: ${stderr}`)));
  });
  const listening = JSON.parse(line) as { readonly type: string; readonly url: string };
  return { child, ended, listening };
}

const chat = (url: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hi' }] }),
  });

test('mai serve answers a chat and shows the page, and ends with 0 on SIGTERM', async () => {
  const { child, ended, listening } = await serve();
  expect(listening).toMatchObject({ schemaVersion: 1, type: 'listening' });
  const answer = await chat(listening.url);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('Hello from the simulated model');
  const page = await fetch(listening.url);
  expect(page.headers.get('content-type')).toContain('text/html');
  const explained = await run('explain', answer.headers.get('x-mai-decision') ?? 'none');
  expect(explained.status).toBe(0);
  child.kill('SIGTERM');
  expect((await ended).status).toBe(0);
});

test('mai serve serves without LM Studio, and says so to each request', async () => {
  const { child, ended, listening } = await serve('--url', 'http://127.0.0.1:9');
  const answer = await chat(listening.url);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: 'upstream_unreachable' } });
  child.kill('SIGTERM');
  expect((await ended).status).toBe(0);
});

test('another address than loopback needs a key, and the key opens it', async () => {
  const file = path.join(keysFolder, 'keys.json');
  const refused = await run('serve', '--listen', '0.0.0.0', '--port', '0', '--keys', file);
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('mai keys add');
  const made = await run('keys', 'add', 'laptop', '--keys', file);
  const key = made.stdout.trim();
  expect(key).toMatch(/^mai-/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { child, ended, listening } = await serve('--listen', '0.0.0.0', '--keys', file);
  const url = listening.url.replace('0.0.0.0', '127.0.0.1');
  expect((await chat(url)).status).toBe(401);
  expect((await chat(url, { authorization: `Bearer ${key}` })).status).toBe(200);
  child.kill('SIGTERM');
  expect((await ended).status).toBe(0);
});

test('keys are listed without their texts, and removed', async () => {
  const file = path.join(keysFolder, 'keys.json');
  const { stdout } = await run(
    'keys',
    'add',
    'admin',
    '--scopes',
    'inference,control',
    '--keys',
    file,
  );
  const listed = await run('keys', '--json', '--keys', file);
  expect(JSON.parse(listed.stdout)).toMatchObject({
    keys: [{ name: 'admin', scopes: ['inference', 'control'] }],
  });
  expect(listed.stdout).not.toContain(stdout.trim());
  expect((await run('keys', 'remove', 'nobody', '--keys', file)).status).toBe(2);
  expect((await run('keys', 'remove', 'admin', '--keys', file)).status).toBe(0);
  expect((await run('keys', '--keys', file)).stdout).toContain('There is no API key.');
});

test('a port that another program has is exit code 10', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { status, stderr } = await run('serve', '--port', String(port));
  expect(status).toBe(10);
  expect(stderr).toContain('--port');
  await new Promise((resolve) => other.close(resolve));
});
