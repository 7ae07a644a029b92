import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { startSimulator } from '@mai/lmstudio-simulator';

import { answering, freePort, listen } from '../../test/faulty-servers.js';
import { diagnose } from './diagnose.js';
import { discover } from './discover.js';
import { findLMStudioHome } from './lmstudio-home.js';

let userHome: string;

beforeEach(async () => {
  userHome = await mkdtemp(path.join(tmpdir(), 'mai home '));
});
afterEach(() => rm(userHome, { recursive: true }));

const put = async (file: string, content: unknown): Promise<string> => {
  const target = path.join(userHome, file);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, typeof content === 'string' ? content : JSON.stringify(content));
  return target;
};
const here = () => ({ userHome, env: {} });

describe('findLMStudioHome', () => {
  test('there is none', async () => {
    expect(findLMStudioHome(here())).toBeNull();
  });

  test('the usual place, with what lies in it', async () => {
    await put('.lmstudio/.internal/http-server.json', { port: 4321 });
    expect(findLMStudioHome(here())).toEqual({
      path: path.join(userHome, '.lmstudio'),
      foundBy: 'default',
      modelsFolder: path.join(userHome, '.lmstudio', 'models'),
      modelsFolderFrom: 'default',
      serverPort: 4321,
      headless: false,
    });
  });

  test('the older cache folder goes before the usual place, the pointer file before both', async () => {
    await put('.lmstudio/x', '');
    await put('.cache/lm-studio/x', '');
    expect(findLMStudioHome(here())).toMatchObject({ foundBy: 'cache-folder' });
    await put('on another drive/x', '');
    await put('.lmstudio-home-pointer', `${path.join(userHome, 'on another drive')}\r\n`);
    expect(findLMStudioHome(here())).toMatchObject({
      foundBy: 'pointer-file',
      path: path.join(userHome, 'on another drive'),
    });
    await put('.lmstudio-home-pointer', path.join(userHome, 'gone'));
    expect(findLMStudioHome(here())).toMatchObject({ foundBy: 'cache-folder' });
  });

  test.each([
    ['.lmstudio/settings.json', {}],
    ['AppData/Roaming/LM Studio/settings.json', {}],
    ['Library/Application Support/LM Studio/settings.json', {}],
    ['.config/LM Studio/settings.json', {}],
  ])('the models folder of %s', async (file) => {
    await put('.lmstudio/x', '');
    await put(file, `\uFEFF${JSON.stringify({ downloadsFolder: '/big drive/models' })}`);
    expect(findLMStudioHome(here())).toMatchObject({
      modelsFolder: '/big drive/models',
      modelsFolderFrom: 'settings',
    });
  });

  test.each(['not json', '[]', '{"downloadsFolder":3}', '{"downloadsFolder":" "}'])(
    'settings that say %s are no settings',
    async (content) => {
      await put('.lmstudio/settings.json', content);
      expect(findLMStudioHome(here())).toMatchObject({ modelsFolderFrom: 'default' });
    },
  );

  test('a port note elsewhere, and one that is no port', async () => {
    await put('.lmstudio/.internal/http-server.json', { port: 70000 });
    expect(findLMStudioHome(here())?.serverPort).toBeNull();
    const file = await put('note.json', { port: 5555 });
    const env = { LMS_API_SERVER_INFO_PATH: file };
    expect(findLMStudioHome({ userHome, env })?.serverPort).toBe(5555);
  });
});

describe('discover', () => {
  test('finds the LM Studio among ports that refuse, stay silent or are someone else', async () => {
    await using simulator = await startSimulator();
    await using silent = await listen(() => undefined);
    await using stranger = await listen(answering('200 OK', '{}'));
    const ports = [await freePort(), silent.port, stranger.port, simulator.port];
    const found = await discover({ ...here(), ports, timeoutMs: 60_000 });
    expect(found).toMatchObject({ baseUrl: simulator.baseUrl, explicit: false });
  });

  test('finds the port of the note', async () => {
    await using simulator = await startSimulator();
    await put('.lmstudio/.internal/http-server.json', { port: simulator.port });
    expect((await discover(here())).baseUrl).toBe(simulator.baseUrl);
  });

  test('names every outcome when there is none', async () => {
    await using silent = await listen(() => undefined);
    await using stranger = await listen(answering('404 Not Found', ''));
    const refusing = await freePort();
    const ports = [refusing, silent.port, stranger.port];
    const { baseUrl, probes } = await discover({ ...here(), ports, timeoutMs: 100 });
    expect(baseUrl).toBeNull();
    const byPort = new Map(probes.map((probe) => [probe.baseUrl, probe]));
    expect(byPort.get(`ws://127.0.0.1:${refusing}`)?.outcome).toBe('refused');
    expect(byPort.get(`ws://127.0.0.1:${silent.port}`)?.outcome).toBe('timed-out');
    expect(byPort.get(`ws://127.0.0.1:${stranger.port}`)).toMatchObject({
      outcome: 'something-else',
      detail: 'HTTP 404',
    });
  });

  test('takes any spelling of an address, and only that one', async () => {
    await using simulator = await startSimulator();
    for (const baseUrl of [simulator.baseUrl, simulator.httpUrl, `localhost:${simulator.port}`]) {
      expect(await discover({ ...here(), baseUrl })).toMatchObject({ explicit: true });
      expect((await discover({ ...here(), baseUrl })).baseUrl).toContain(`:${simulator.port}`);
    }
  });

  test('is cancelled with the reason', async () => {
    const reason = new Error('stop');
    await expect(discover({ ...here(), signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await using silent = await listen(() => undefined);
    const cancel = new AbortController();
    const looking = discover({
      ...here(),
      ports: [silent.port],
      timeoutMs: 60_000,
      signal: cancel.signal,
    });
    setTimeout(() => cancel.abort(reason), 20);
    await expect(looking).rejects.toBe(reason);
  });
});

describe('diagnose', () => {
  test('running', async () => {
    await using simulator = await startSimulator();
    expect(await diagnose({ ...here(), baseUrl: simulator.baseUrl })).toMatchObject({
      state: 'running',
      command: null,
    });
  });

  test('not installed, app closed, daemon down', async () => {
    const ports = [await freePort()];
    expect(await diagnose({ ...here(), ports })).toMatchObject({ state: 'not-installed' });
    await put('.lmstudio/x', '');
    expect(await diagnose({ ...here(), ports })).toMatchObject({
      state: 'app-closed',
      command: 'lms server start',
    });
    await put('.lmstudio/llmster/x', '');
    expect(await diagnose({ ...here(), ports })).toMatchObject({
      state: 'daemon-down',
      command: 'lms daemon up',
    });
  });

  test('names the address that was given where nothing answers there', async () => {
    const baseUrl = `127.0.0.1:${await freePort()}`;
    const absent = await diagnose({ ...here(), baseUrl });
    expect(absent.message).toContain(
      `Nothing answers at http://${baseUrl}, and LM Studio does not`,
    );
    await put('.lmstudio/x', '');
    const closed = await diagnose({ ...here(), baseUrl });
    expect(closed.message).toContain(
      `Nothing answers at http://${baseUrl}. LM Studio is installed`,
    );
  });

  test('wrong host: no such name', async () => {
    const options = { ...here(), baseUrl: 'http://no-such-host.invalid:1234' };
    const { state, message } = await diagnose(options);
    expect(state).toBe('wrong-host');
    expect(message).toContain("'no-such-host.invalid'");
  });

  test('something else, and someone who wants credentials', async () => {
    await using stranger = await listen(answering('200 OK', 'hello'));
    await using guarded = await listen(answering('403 Forbidden', ''));
    expect(await diagnose({ ...here(), baseUrl: `127.0.0.1:${stranger.port}` })).toMatchObject({
      state: 'something-else',
    });
    expect(await diagnose({ ...here(), ports: [stranger.port] })).toMatchObject({
      state: 'something-else',
    });
    expect(await diagnose({ ...here(), baseUrl: `127.0.0.1:${guarded.port}` })).toMatchObject({
      state: 'unauthorized',
    });
  });

  test('server off on the given port although the app is open', async () => {
    const port = await freePort();
    const appPort = 41343;
    const app = await startSimulator({ port: appPort }).catch(() => null);
    // Another program, or another test run, may hold LM Studio's port.
    if (app === null) return;
    await using _ = app;
    expect(await diagnose({ ...here(), baseUrl: `127.0.0.1:${port}` })).toMatchObject({
      state: 'server-off',
      command: `lms server start --port ${port}`,
    });
  });
});
