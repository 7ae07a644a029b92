import { startSimulator } from '@mai/lmstudio-simulator';

import { bundle, type Bundle } from '../test/bundle.js';
import { freePort, listen } from '../test/faulty-servers.js';

let package_: Bundle;
beforeAll(async () => {
  package_ = await bundle();
});
afterAll(() => package_[Symbol.asyncDispose]());

const SILENT = { code: 0, stdout: '', stderr: '', killed: false };

test('importing the package loads neither the SDK nor a network module', async () => {
  const outcome = await package_.run(`
    const { moduleLoadList } = process;
    for (const name of ['http', 'https', 'undici', 'ws']) {
      if (moduleLoadList.includes('NativeModule ' + name)) console.log('loaded', name);
    }
  `);
  expect(outcome).toEqual(SILENT);
});

test('discovery without an LM Studio loads no HTTP client, and the process ends by itself', async () => {
  const outcome = await package_.run(`
    await mai.discover({ ports: [${await freePort()}] });
    await mai.discover({ baseUrl: '127.0.0.1:${await freePort()}' });
    for (const name of ['_http_client', 'undici']) {
      if (process.moduleLoadList.includes('NativeModule ' + name)) console.log('loaded', name);
    }
  `);
  expect(outcome).toEqual(SILENT);
});

test('a failed connect prints nothing, and the process ends by itself', async () => {
  await using silent = await listen(() => undefined);
  const outcome = await package_.run(`
    for (const baseUrl of ['127.0.0.1:${await freePort()}', '127.0.0.1:${silent.port}']) {
      await mai.connect({ baseUrl, timeoutMs: 100 }).then(
        () => console.log('connected'),
        (error) => mai.isLMStudioError(error) || console.log(error),
      );
    }
  `);
  expect(outcome).toEqual(SILENT);
});

test('the process ends after its last call, although the client is not closed', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  const outcome = await package_.run(`
    const client = await mai.connect({ baseUrl: '${simulator.baseUrl}' });
    await client.load({ modelKey: 'qwen/qwen3-4b' });
    await client.listResidents();
  `);
  expect(outcome).toEqual(SILENT);
  expect(simulator.residents()).toHaveLength(1);
});

test('calls that are never answered do not keep the process alive after their deadline', async () => {
  await using simulator = await startSimulator();
  simulator.fault.hang({ endpoint: 'listDownloadedModels' });
  simulator.fault.stallLoad();
  const outcome = await package_.run(`
    const client = await mai.connect({ baseUrl: '${simulator.baseUrl}' });
    await client.listDownloaded({ timeoutMs: 100 }).catch(() => undefined);
    const load = { modelKey: 'qwen/qwen3-4b', kind: 'llm', timeoutMs: 200 };
    await client.load(load).catch((error) => error.code === 'LOAD_TIMED_OUT' || console.log(error));
  `);
  expect(outcome).toEqual(SILENT);
  expect(simulator.residents()).toEqual([]);
});

test('the process goes on when LM Studio ends while connections are open', async () => {
  const simulator = await startSimulator();
  const running = package_.run(`
    const client = await mai.connect({ baseUrl: '${simulator.baseUrl}' });
    let code;
    while (code === undefined) {
      await client.listResidents().catch((error) => (code = error.code));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    console.log(code);
  `);
  await simulator.seen('listLoaded', 4);
  await simulator.stop();
  expect(await running).toEqual({ ...SILENT, stdout: 'UNREACHABLE\n' });
});
