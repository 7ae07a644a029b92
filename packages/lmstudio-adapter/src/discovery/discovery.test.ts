import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { startSimulator } from '@mai/lmstudio-simulator';

import { answering, freePort, listen } from '../../test/faulty-servers.js';
import { diagnose } from './diagnose.js';
import { discover, type DiscoverOptions } from './discover.js';
import { findLMStudioHome } from '../home/lmstudio-home.js';

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
  test('is null where LM Studio was never run', async () => {
    expect(findLMStudioHome(here())).toBeNull();
  });

  test('finds ~/.lmstudio with its port and its models folder', async () => {
    await put('.lmstudio/.internal/http-server.json', { port: 4321 });
    expect(findLMStudioHome(here())).toEqual({
      path: path.join(userHome, '.lmstudio'),
      foundBy: 'default',
      modelsFolder: path.join(userHome, '.lmstudio', 'models'),
      modelsFolderFrom: 'default',
      serverPort: 4321,
      headless: false,
      defaultContextLengthTokens: null,
      engines: [],
      hardware: [],
    });
  });

  test('prefers the pointer file, then the older cache folder, then ~/.lmstudio', async () => {
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
  ])('reads the models folder from %s', async (file) => {
    await put('.lmstudio/x', '');
    await put(file, `\uFEFF${JSON.stringify({ downloadsFolder: '/big drive/models' })}`);
    expect(findLMStudioHome(here())).toMatchObject({
      modelsFolder: '/big drive/models',
      modelsFolderFrom: 'settings',
    });
  });

  test.each(['not json', '[]', '{"downloadsFolder":3}', '{"downloadsFolder":" "}'])(
    'ignores settings that contain %s',
    async (content) => {
      await put('.lmstudio/settings.json', content);
      expect(findLMStudioHome(here())).toMatchObject({ modelsFolderFrom: 'default' });
    },
  );

  test('reads the port from LMS_API_SERVER_INFO_PATH, and ignores an impossible port', async () => {
    await put('.lmstudio/.internal/http-server.json', { port: 70000 });
    expect(findLMStudioHome(here())?.serverPort).toBeNull();
    const file = await put('note.json', { port: 5555 });
    const env = { LMS_API_SERVER_INFO_PATH: file };
    expect(findLMStudioHome({ userHome, env })?.serverPort).toBe(5555);
  });
});

describe('discover', () => {
  test('finds LM Studio among ports that refuse, stay silent or belong to another program', async () => {
    await using simulator = await startSimulator();
    await using silent = await listen(() => undefined);
    await using other = await listen(answering('200 OK', '{}'));
    const ports = [await freePort(), silent.port, other.port, simulator.port];
    const found = await discover({ ...here(), ports, timeoutMs: 60_000 });
    expect(found).toMatchObject({ baseUrl: simulator.baseUrl, explicit: false });
  });

  test('finds the port of http-server.json', async () => {
    await using simulator = await startSimulator();
    await put('.lmstudio/.internal/http-server.json', { port: simulator.port });
    expect((await discover(here())).baseUrl).toBe(simulator.baseUrl);
  });

  test('without an LM Studio, reports the outcome of every port', async () => {
    await using silent = await listen(() => undefined);
    await using other = await listen(answering('404 Not Found', ''));
    const refusing = await freePort();
    const ports = [refusing, silent.port, other.port];
    const { baseUrl, probes } = await discover({ ...here(), ports, timeoutMs: 100 });
    expect(baseUrl).toBeNull();
    const byPort = new Map(probes.map((probe) => [probe.baseUrl, probe]));
    expect(byPort.get(`ws://127.0.0.1:${refusing}`)?.outcome).toBe('refused');
    expect(byPort.get(`ws://127.0.0.1:${silent.port}`)?.outcome).toBe('timed-out');
    expect(byPort.get(`ws://127.0.0.1:${other.port}`)).toMatchObject({
      outcome: 'something-else',
      detail: 'HTTP 404',
    });
  });

  test('tries only the given address, in any spelling', async () => {
    await using simulator = await startSimulator();
    for (const baseUrl of [simulator.baseUrl, simulator.httpUrl, `localhost:${simulator.port}`]) {
      expect(await discover({ ...here(), baseUrl })).toMatchObject({ explicit: true });
      expect((await discover({ ...here(), baseUrl })).baseUrl).toContain(`:${simulator.port}`);
    }
  });

  test('rejects with the signal’s reason', async () => {
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
  const found = async (options: DiscoverOptions) =>
    diagnose(await discover({ ...here(), ...options }), { ...here(), ...options });

  test('not installed, app closed, daemon down', async () => {
    const ports = [await freePort()];
    expect(await found({ ports })).toMatchObject({ state: 'not-installed' });
    await put('.lmstudio/x', '');
    const closed = await found({ ports });
    expect(closed.state).toBe('app-closed');
    expect(closed.message).toContain("'lms server start'");
    await put('.lmstudio/llmster/x', '');
    const down = await found({ ports });
    expect(down.state).toBe('daemon-down');
    expect(down.message).toContain("'lms daemon up'");
  });

  test('names the given address where nothing answers there', async () => {
    const baseUrl = `127.0.0.1:${await freePort()}`;
    const absent = await found({ baseUrl });
    expect(absent.message).toContain(
      `Nothing answers at http://${baseUrl}, and LM Studio does not`,
    );
    await put('.lmstudio/x', '');
    const closed = await found({ baseUrl });
    expect(closed.message).toContain(
      `Nothing answers at http://${baseUrl}. LM Studio is installed`,
    );
  });

  test('wrong host: the name does not resolve', async () => {
    const { state, message } = await found({ baseUrl: 'http://no-such-host.invalid:1234' });
    expect(state).toBe('wrong-host');
    expect(message).toContain("'no-such-host.invalid'");
  });

  test('another program, and a server that asks for credentials', async () => {
    await using other = await listen(answering('200 OK', 'hello'));
    await using guarded = await listen(answering('403 Forbidden', ''));
    expect(await found({ baseUrl: `127.0.0.1:${other.port}` })).toMatchObject({
      state: 'something-else',
    });
    expect(await found({ ports: [other.port] })).toMatchObject({ state: 'something-else' });
    expect(await found({ baseUrl: `127.0.0.1:${guarded.port}` })).toMatchObject({
      state: 'unauthorized',
    });
  });

  test('the app is open, but the server is off on the given port', async () => {
    const port = await freePort();
    const appPort = 41343;
    const app = await startSimulator({ port: appPort }).catch(() => null);
    // Another program, or another test run, may use this port.
    if (app === null) return;
    await using _ = app;
    const { state, message } = await found({ baseUrl: `127.0.0.1:${port}` });
    expect(state).toBe('server-off');
    expect(message).toContain(`'lms server start --port ${port}'`);
  });
});
