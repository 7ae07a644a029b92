import { WebSocket } from 'ws';
import { connectSdk, rejection, startRig, until } from '../test/connect-sdk.js';
import { isSimulatorError, manualClock, startSimulator } from './index.js';
import type { Fault } from './index.js';

const QUIET = { verbose: false } as const;
const KEY = 'qwen/qwen3-4b';

/** What an SDK call has come to after a while: a call that is never answered stays pending. */
async function state(promise: Promise<unknown>, turns = 200): Promise<'pending' | 'settled'> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  for (let turn = 0; turn < turns && !settled; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return settled ? 'settled' : 'pending';
}

test('refuse-load: the words of the guardrails, once, then the load works', async () => {
  await using rig = await startRig();
  const fault = rig.simulator.fault.refuseLoad({ modelKey: KEY, times: 1 });
  const error = await rejection(rig.client.llm.load(KEY, QUIET));
  expect(error.message).toMatch(/Model loading was stopped due to insufficient system resources/);
  expect(fault.hits).toBe(1);
  await rig.client.llm.load(KEY, QUIET);
  expect(rig.simulator.residents()).toHaveLength(1);
});

test('refuse-load strikes only the model that it names', async () => {
  await using rig = await startRig();
  rig.simulator.fault.refuseLoad({ modelKey: KEY, text: 'Not today.' });
  await rig.client.llm.load('qwen/qwen3-1.7b', QUIET);
  expect((await rejection(rig.client.llm.load(KEY, QUIET))).message).toContain('Not today.');
});

test('crash-load: progress up to the crash, then exit code, then nothing resident', async () => {
  await using rig = await startRig({ speed: 10 });
  rig.simulator.fault.crashLoad({ atProgress: 0.5, exitCode: '18446744072635812000' });
  const progress: number[] = [];
  const error = await rejection(
    rig.client.llm.load(KEY, { ...QUIET, onProgress: (ratio) => progress.push(ratio) }),
  );
  expect(error.message).toMatch(/Error loading model\.[^]*\(Exit code: 18446744072635812000\)/);
  expect(progress.at(-1)).toBeLessThan(0.5);
  expect(rig.simulator.residents()).toEqual([]);
  expect(rig.simulator.memoryInUse().gpus[0]?.bytes).toBe(0);
});

test.each([
  ['vram', /unable to allocate CUDA0 buffer/],
  ['ram', /Exit code: null/],
] as const)('out-of-memory of %s strikes after the weights', async (pool, text) => {
  await using rig = await startRig({ speed: 10 });
  rig.simulator.fault.outOfMemory({ pool });
  const progress: number[] = [];
  const error = await rejection(
    rig.client.llm.load(KEY, { ...QUIET, onProgress: (ratio) => progress.push(ratio) }),
  );
  expect(error.message).toMatch(text);
  expect(progress.at(-1)).toBeGreaterThan(0.7);
  expect(rig.simulator.residents()).toEqual([]);
});

test('shrink-context: the load succeeds and says nothing', async () => {
  await using rig = await startRig();
  rig.simulator.fault.shrinkContext({ toTokens: 5000 });
  const model = await rig.client.llm.load(KEY, { ...QUIET, config: { contextLength: 20_000 } });
  expect((await model.getModelInfo())?.contextLength).toBe(5000);
  expect(await model.getLoadConfig()).toMatchObject({ contextLength: 5000 });
  // A context that is smaller anyway is not made larger.
  const small = await rig.client.llm.load(KEY, { ...QUIET, config: { contextLength: 2000 } });
  expect((await small.getModelInfo())?.contextLength).toBe(2000);
  expect(rig.logged).toEqual([]);
});

test('stall-load: no progress, no end, and it can be cancelled', async () => {
  await using rig = await startRig();
  rig.simulator.fault.stallLoad({ atProgress: 0 });
  const controller = new AbortController();
  const loading = rig.client.llm.load(KEY, { ...QUIET, signal: controller.signal });
  const outcome = rejection(loading);
  await rig.simulator.seen('loadModel');
  expect(await state(loading)).toBe('pending');
  controller.abort();
  expect((await outcome).name).toBe('AbortError');
  await rig.simulator.seen('channelSend');
  expect(rig.simulator.residents()).toEqual([]);
});

test('drop-connection in the middle of a load: the client cannot know, and the model is there later', async () => {
  await using rig = await startRig({ speed: 10 });
  rig.simulator.fault.dropConnection({ atProgress: 0.5, times: 1 });
  const error = await rejection(rig.client.llm.load(KEY, QUIET));
  expect(error.message).toBe('WebSocket connection closed');
  await until(() => rig.simulator.residents().length === 1);
});

test('drop-connection at a call', async () => {
  await using rig = await startRig();
  rig.simulator.fault.dropConnection({ endpoint: 'listLoaded', times: 1 });
  expect((await rejection(rig.client.llm.listLoaded())).message).toBe(
    'WebSocket connection closed',
  );
  expect(await rig.client.llm.listLoaded()).toEqual([]);
});

test('restart in the middle of a load: residents lost, same port', async () => {
  await using rig = await startRig({ speed: 10 });
  await rig.client.llm.load('qwen/qwen3-1.7b', QUIET);
  rig.simulator.fault.restart({ atProgress: 0.5, times: 1 });
  const error = await rejection(rig.client.llm.load(KEY, QUIET));
  expect(error.message).toBe('WebSocket connection closed');
  expect(rig.simulator.residents()).toEqual([]);
  await until(() => rig.simulator.connections() === 0);
  await using fresh = connectSdk(rig.simulator.baseUrl);
  expect(await fresh.client.llm.listLoaded()).toEqual([]);
});

test('duplicate-loads: concurrent just-in-time loads bring a copy each', async () => {
  await using rig = await startRig({ speed: 10 });
  rig.simulator.fault.duplicateLoads();
  await Promise.all([
    rig.client.llm.model('qwen/qwen3-1.7b', QUIET),
    rig.client.llm.model('qwen/qwen3-1.7b', QUIET),
  ]);
  expect(rig.simulator.residents().map(({ instanceIdentifier }) => instanceIdentifier)).toEqual([
    'qwen/qwen3-1.7b',
    'qwen/qwen3-1.7b:2',
  ]);
});

test('abort-concurrent-loads: the second load ends the first', async () => {
  await using rig = await startRig({ speed: 2 });
  rig.simulator.fault.abortConcurrentLoads();
  const first = rejection(rig.client.llm.load('qwen/qwen3-8b', QUIET));
  await rig.simulator.seen('loadModel');
  await rig.client.llm.load('qwen/qwen3-1.7b', QUIET);
  expect((await first).message).toMatch(/Model loading aborted/);
  expect(rig.simulator.residents().map(({ modelKey }) => modelKey)).toEqual(['qwen/qwen3-1.7b']);
});

test('hang: one endpoint, or all, until cleared', async () => {
  await using rig = await startRig();
  const { client, simulator } = rig;
  const one = simulator.fault.hang({ endpoint: 'listLoaded' });
  const stuck = client.llm.listLoaded();
  stuck.catch(() => {});
  await simulator.seen('listLoaded');
  expect(await state(stuck)).toBe('pending');
  expect((await client.system.getLMStudioVersion()).version).toBe('0.4.18');
  one.clear();
  expect(await client.llm.listLoaded()).toEqual([]);
  // What was not answered then is never answered.
  expect(await state(stuck)).toBe('pending');

  simulator.fault.hang();
  const version = client.system.getLMStudioVersion();
  version.catch(() => {});
  await simulator.seen('version', 2);
  expect(await state(version)).toBe('pending');
  // Discovery still works: that is what makes it hard.
  expect((await fetch(`${simulator.httpUrl}/lmstudio-greeting`)).status).toBe(200);
});

test.each(['greeting', 'http'])('hang of %s', async (endpoint) => {
  await using simulator = await startSimulator();
  simulator.fault.hang({ endpoint });
  const greeting = fetch(`${simulator.httpUrl}/lmstudio-greeting`);
  greeting.catch(() => {});
  await simulator.seen('/lmstudio-greeting');
  expect(await state(greeting)).toBe('pending');
});

test('invalid-result: the SDK takes it for no answer, and warns on its side only', async () => {
  await using rig = await startRig();
  rig.simulator.fault.invalidResult({ endpoint: 'version', times: 1 });
  const version = rig.client.system.getLMStudioVersion();
  version.catch(() => {});
  await rig.simulator.seen('communicationWarning');
  expect(await state(version)).toBe('pending');
  expect(rig.logged.join('\n')).toMatch(/communication warning.*version/);
  expect((await rig.client.system.getLMStudioVersion()).version).toBe('0.4.18');
});

test('protocol-warning: the answer comes with a warning', async () => {
  await using rig = await startRig();
  rig.simulator.fault.protocolWarning({ text: 'You speak an odd dialect.' });
  expect((await rig.client.system.getLMStudioVersion()).version).toBe('0.4.18');
  expect(rig.logged.join('\n')).toMatch(/communication warning[^]*You speak an odd dialect\./);
});

test('slow-frames: every frame is late and the order is kept', async () => {
  const clock = manualClock();
  await using simulator = await startSimulator({ clock });
  await using connection = connectSdk(simulator.baseUrl);
  const slow = simulator.fault.slowFrames({ delayMs: 1000 });
  const answered: string[] = [];
  const version = connection.client.system
    .getLMStudioVersion()
    .then(() => answered.push('version'));
  const info = connection.client.system.getInfo().then(() => answered.push('info'));
  await simulator.seen('info');
  await clock.advance(999);
  expect(answered).toEqual([]);
  await clock.advance(1);
  await version;
  expect(answered).toEqual(['version']);
  await clock.advance(1000);
  await info;
  expect(slow.hits).toBe(2);
});

test('reject-authentication: refused with the text, and again on each call', async () => {
  await using rig = await startRig();
  const fault = rig.simulator.fault.rejectAuthentication({ text: 'Token revoked' });
  for (let attempt = 0; attempt < 2; attempt++) {
    expect((await rejection(rig.client.llm.listLoaded())).message).toBe(
      'Failed to authenticate: Token revoked',
    );
    // Before the refused socket has closed, its end would be taken for that of the next attempt.
    await until(() => rig.simulator.connections() === 0);
  }
  expect((await fetch(`${rig.simulator.httpUrl}/api/v1/models`)).status).toBe(401);
  fault.clear();
  expect(await rig.client.llm.listLoaded()).toEqual([]);
});

test('mute-authentication: nothing for ten seconds, then the server gives up', async () => {
  const clock = manualClock();
  await using simulator = await startSimulator({ clock });
  await using connection = connectSdk(simulator.baseUrl);
  simulator.fault.muteAuthentication();
  const listing = connection.client.llm.listLoaded();
  const outcome = rejection(listing);
  await until(() => clock.pending === 1);
  await clock.advance(9999);
  expect(await state(listing)).toBe('pending');
  await clock.advance(1);
  expect((await outcome).message).toBe('Failed to authenticate: Authentication timed out');
});

test('ignore-upgrade: the socket never opens', async () => {
  await using rig = await startRig();
  rig.simulator.fault.ignoreUpgrade();
  const listing = rig.client.llm.listLoaded();
  listing.catch(() => {});
  await until(() => rig.simulator.connections() === 1);
  expect(await state(listing)).toBe('pending');
});

test('ignore-upgrade: a client that gives up is gone', async () => {
  await using simulator = await startSimulator();
  simulator.fault.ignoreUpgrade();
  const webSocket = new WebSocket(`${simulator.baseUrl}/llm`);
  webSocket.on('error', () => {});
  await until(() => simulator.connections() === 1);
  webSocket.terminate();
  await until(() => simulator.connections() === 0);
});

test('refuse-upgrade and not-lm-studio: another program listens', async () => {
  await using rig = await startRig();
  rig.simulator.fault.refuseUpgrade({ times: 1 });
  expect((await rejection(rig.client.llm.listLoaded())).message).toMatch(
    /Unexpected server response: 404/,
  );
  rig.simulator.fault.notLmStudio();
  const greeting = await fetch(`${rig.simulator.httpUrl}/lmstudio-greeting`);
  expect(greeting.headers.get('content-type')).toBe('text/html');
  expect((await rejection(rig.client.llm.listLoaded())).message).toMatch(/404/);
});

test('faults can be given at the start, and are all taken back at once', async () => {
  await using rig = await startRig({
    faults: [{ type: 'refuse-load' }, { type: 'refuse-upgrade' }],
  });
  rig.simulator.fault.clear();
  await rig.client.llm.load(KEY, QUIET);
});

test('a fault that is not well-formed is refused with what is wrong', async () => {
  await using rig = await startRig();
  for (const fault of [
    { type: 'explode' },
    { type: 'crash-load', atProgress: 2 },
    { type: 'slow-frames' },
    { type: 'refuse-load', times: 0 },
  ]) {
    try {
      rig.simulator.fault.inject(fault as unknown as Fault);
      throw new Error('was accepted');
    } catch (error) {
      if (!isSimulatorError(error)) throw error;
      expect(error.code).toBe('FAULT_INVALID');
      expect(error.issues).toHaveLength(1);
    }
  }
});

test('commands that failed while LM Studio was down are replayed by the SDK: the trap is there', async () => {
  await using rig = await startRig();
  const { client, simulator } = rig;
  await client.llm.listLoaded();
  const restarting = simulator.restart({ downMs: 300 });
  await until(() => simulator.connections() === 0);
  await rejection(client.llm.load(KEY, QUIET));
  await rejection(client.llm.load(KEY, QUIET));
  await restarting;
  await client.llm.listLoaded();
  await simulator.seen('loadModel', 1);
  await until(() => simulator.residents().length > 0);
});
