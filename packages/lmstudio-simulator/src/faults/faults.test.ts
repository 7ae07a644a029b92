import { WebSocket } from 'ws';
import { connectSdk, rejection, startWithClient, until } from '../../test/connect-sdk.js';
import { isSimulatorError, manualClock, startSimulator } from '../index.js';
import type { Fault } from '../index.js';

const QUIET = { verbose: false } as const;
const KEY = 'qwen/qwen3-4b';

/** The state of an SDK call after a while. A call without an answer stays pending. */
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

test('refuse-load with times 1: the guardrails refuse once, then the load succeeds', async () => {
  await using connected = await startWithClient();
  const fault = connected.simulator.fault.refuseLoad({ modelKey: KEY, times: 1 });
  const error = await rejection(connected.client.llm.load(KEY, QUIET));
  expect(error.message).toMatch(/Model loading was stopped due to insufficient system resources/);
  expect(fault.hits).toBe(1);
  await connected.client.llm.load(KEY, QUIET);
  expect(connected.simulator.residents()).toHaveLength(1);
});

test('refuse-load affects only the model that it names', async () => {
  await using connected = await startWithClient();
  connected.simulator.fault.refuseLoad({ modelKey: KEY, text: 'Not today.' });
  await connected.client.llm.load('qwen/qwen3-1.7b', QUIET);
  expect((await rejection(connected.client.llm.load(KEY, QUIET))).message).toContain('Not today.');
});

test('crash-load: the load makes progress until the crash, and fails with an exit code and no resident', async () => {
  await using connected = await startWithClient({ speed: 10 });
  connected.simulator.fault.crashLoad({ atProgress: 0.5, exitCode: '18446744072635812000' });
  const progress: number[] = [];
  const error = await rejection(
    connected.client.llm.load(KEY, { ...QUIET, onProgress: (ratio) => progress.push(ratio) }),
  );
  expect(error.message).toMatch(/Error loading model\.[^]*\(Exit code: 18446744072635812000\)/);
  expect(progress.at(-1)).toBeLessThan(0.5);
  expect(connected.simulator.residents()).toEqual([]);
  expect(connected.simulator.memoryInUse().gpus[0]?.bytes).toBe(0);
});

test.each([
  ['vram', /unable to allocate CUDA0 buffer/],
  ['ram', /Exit code: null/],
] as const)('out-of-memory of %s happens after the weights are loaded', async (pool, text) => {
  await using connected = await startWithClient({ speed: 10 });
  connected.simulator.fault.outOfMemory({ pool });
  const progress: number[] = [];
  const error = await rejection(
    connected.client.llm.load(KEY, { ...QUIET, onProgress: (ratio) => progress.push(ratio) }),
  );
  expect(error.message).toMatch(text);
  expect(progress.at(-1)).toBeGreaterThan(0.7);
  expect(connected.simulator.residents()).toEqual([]);
});

test('shrink-context: the load succeeds with a smaller context', async () => {
  await using connected = await startWithClient();
  connected.simulator.fault.shrinkContext({ toTokens: 5000 });
  const model = await connected.client.llm.load(KEY, {
    ...QUIET,
    config: { contextLength: 20_000 },
  });
  expect((await model.getModelInfo()).contextLength).toBe(5000);
  expect(await model.getLoadConfig()).toMatchObject({ contextLength: 5000 });
  // The fault does not change a context that is smaller than `toTokens`.
  const small = await connected.client.llm.load(KEY, { ...QUIET, config: { contextLength: 2000 } });
  expect((await small.getModelInfo()).contextLength).toBe(2000);
  expect(connected.logged).toEqual([]);
});

test('stall-load: the load makes no progress, does not end, and can be cancelled', async () => {
  await using connected = await startWithClient();
  connected.simulator.fault.stallLoad({ atProgress: 0 });
  const controller = new AbortController();
  const loading = connected.client.llm.load(KEY, { ...QUIET, signal: controller.signal });
  const outcome = rejection(loading);
  await connected.simulator.seen('loadModel');
  expect(await state(loading)).toBe('pending');
  controller.abort();
  expect((await outcome).name).toBe('AbortError');
  await connected.simulator.seen('channelSend');
  expect(connected.simulator.residents()).toEqual([]);
});

test('drop-connection during a load: the load fails for the client, and the model is loaded later', async () => {
  await using connected = await startWithClient({ speed: 10 });
  connected.simulator.fault.dropConnection({ atProgress: 0.5, times: 1 });
  const error = await rejection(connected.client.llm.load(KEY, QUIET));
  expect(error.message).toBe('WebSocket connection closed');
  await until(() => connected.simulator.residents().length === 1);
});

test('drop-connection at a call: the call fails', async () => {
  await using connected = await startWithClient();
  connected.simulator.fault.dropConnection({ endpoint: 'listLoaded', times: 1 });
  expect((await rejection(connected.client.llm.listLoaded())).message).toBe(
    'WebSocket connection closed',
  );
  expect(await connected.client.llm.listLoaded()).toEqual([]);
});

test('restart during a load: the residents are lost, and the port stays', async () => {
  await using connected = await startWithClient({ speed: 10 });
  await connected.client.llm.load('qwen/qwen3-1.7b', QUIET);
  connected.simulator.fault.restart({ atProgress: 0.5, times: 1 });
  const error = await rejection(connected.client.llm.load(KEY, QUIET));
  expect(error.message).toBe('WebSocket connection closed');
  expect(connected.simulator.residents()).toEqual([]);
  await until(() => connected.simulator.connections() === 0);
  await using fresh = connectSdk(connected.simulator.baseUrl);
  expect(await fresh.client.llm.listLoaded()).toEqual([]);
});

test('duplicate-loads: each of several concurrent just-in-time loads loads a copy', async () => {
  await using connected = await startWithClient({ speed: 10 });
  connected.simulator.fault.duplicateLoads();
  await Promise.all([
    connected.client.llm.model('qwen/qwen3-1.7b', QUIET),
    connected.client.llm.model('qwen/qwen3-1.7b', QUIET),
  ]);
  expect(
    connected.simulator.residents().map(({ instanceIdentifier }) => instanceIdentifier),
  ).toEqual(['qwen/qwen3-1.7b', 'qwen/qwen3-1.7b:2']);
});

test('abort-concurrent-loads: the second load ends the first', async () => {
  await using connected = await startWithClient({ speed: 2 });
  connected.simulator.fault.abortConcurrentLoads();
  const first = rejection(connected.client.llm.load('qwen/qwen3-8b', QUIET));
  await connected.simulator.seen('loadModel');
  await connected.client.llm.load('qwen/qwen3-1.7b', QUIET);
  expect((await first).message).toMatch(/Model loading aborted/);
  expect(connected.simulator.residents().map(({ modelKey }) => modelKey)).toEqual([
    'qwen/qwen3-1.7b',
  ]);
});

test('hang: calls to one endpoint, or to all, get no answer until the fault is cleared', async () => {
  await using connected = await startWithClient();
  const { client, simulator } = connected;
  const one = simulator.fault.hang({ endpoint: 'listLoaded' });
  const stuck = client.llm.listLoaded();
  stuck.catch(() => {});
  await simulator.seen('listLoaded');
  expect(await state(stuck)).toBe('pending');
  expect((await client.system.getLMStudioVersion()).version).toBe('0.4.21');
  one.clear();
  expect(await client.llm.listLoaded()).toEqual([]);
  // The earlier call gets no answer even after the fault is cleared.
  expect(await state(stuck)).toBe('pending');

  simulator.fault.hang();
  const version = client.system.getLMStudioVersion();
  version.catch(() => {});
  await simulator.seen('version', 2);
  expect(await state(version)).toBe('pending');
  // Discovery still works, so a client cannot detect the fault there.
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

test('invalid-result: the SDK ignores the answer, and only logs a warning', async () => {
  await using connected = await startWithClient();
  connected.simulator.fault.invalidResult({ endpoint: 'version', times: 1 });
  const version = connected.client.system.getLMStudioVersion();
  version.catch(() => {});
  await connected.simulator.seen('communicationWarning');
  expect(await state(version)).toBe('pending');
  expect(connected.logged.join('\n')).toMatch(/communication warning.*version/);
  expect((await connected.client.system.getLMStudioVersion()).version).toBe('0.4.21');
});

test('protocol-warning: the answer comes after a warning', async () => {
  await using connected = await startWithClient();
  connected.simulator.fault.protocolWarning({ text: 'You speak an odd dialect.' });
  expect((await connected.client.system.getLMStudioVersion()).version).toBe('0.4.21');
  expect(connected.logged.join('\n')).toMatch(
    /communication warning[^]*You speak an odd dialect\./,
  );
});

test('slow-frames: every frame is late, and the order stays', async () => {
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

test('reject-authentication: each call is refused with the text', async () => {
  await using connected = await startWithClient();
  const fault = connected.simulator.fault.rejectAuthentication({ text: 'Token revoked' });
  for (let attempt = 0; attempt < 2; attempt++) {
    expect((await rejection(connected.client.llm.listLoaded())).message).toBe(
      'Failed to authenticate: Token revoked',
    );
    // Waits for the end of the refused socket. The SDK would mistake a later end for the end of its next socket.
    await until(() => connected.simulator.connections() === 0);
  }
  expect((await fetch(`${connected.simulator.httpUrl}/api/v1/models`)).status).toBe(401);
  fault.clear();
  expect(await connected.client.llm.listLoaded()).toEqual([]);
});

test('mute-authentication: there is no answer for ten seconds, then the server closes the connection', async () => {
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

test('ignore-upgrade: the WebSocket does not open', async () => {
  await using connected = await startWithClient();
  connected.simulator.fault.ignoreUpgrade();
  const listing = connected.client.llm.listLoaded();
  listing.catch(() => {});
  await until(() => connected.simulator.connections() === 1);
  expect(await state(listing)).toBe('pending');
});

test('ignore-upgrade: the connection of a client that gives up is closed', async () => {
  await using simulator = await startSimulator();
  simulator.fault.ignoreUpgrade();
  const webSocket = new WebSocket(`${simulator.baseUrl}/llm`);
  webSocket.on('error', () => {});
  await until(() => simulator.connections() === 1);
  webSocket.terminate();
  await until(() => simulator.connections() === 0);
});

test('refuse-upgrade and not-lm-studio: the client takes the server for another program', async () => {
  await using connected = await startWithClient();
  connected.simulator.fault.refuseUpgrade({ times: 1 });
  expect((await rejection(connected.client.llm.listLoaded())).message).toMatch(
    /Unexpected server response: 404/,
  );
  connected.simulator.fault.notLmStudio();
  const greeting = await fetch(`${connected.simulator.httpUrl}/lmstudio-greeting`);
  expect(greeting.headers.get('content-type')).toBe('text/html');
  expect((await rejection(connected.client.llm.listLoaded())).message).toMatch(/404/);
});

test('faults can be given at the start, and can all be cleared at once', async () => {
  await using connected = await startWithClient({
    faults: [{ type: 'refuse-load' }, { type: 'refuse-upgrade' }],
  });
  connected.simulator.fault.clear();
  await connected.client.llm.load(KEY, QUIET);
});

test('a fault with a wrong shape is refused with its problems', async () => {
  await using connected = await startWithClient();
  for (const fault of [
    { type: 'explode' },
    { type: 'crash-load', atProgress: 2 },
    { type: 'slow-frames' },
    { type: 'refuse-load', times: 0 },
  ]) {
    try {
      connected.simulator.fault.inject(fault as unknown as Fault);
      throw new Error('was accepted');
    } catch (error) {
      if (!isSimulatorError(error)) throw error;
      expect(error.code).toBe('FAULT_INVALID');
      expect(error.issues).toHaveLength(1);
    }
  }
});

test('as with the real LM Studio, the SDK repeats commands that failed while LM Studio was down', async () => {
  await using connected = await startWithClient();
  const { client, simulator } = connected;
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

test('crash-prediction fails a prediction of the SDK with the exit code', async () => {
  await using connected = await startWithClient();
  const model = await connected.client.llm.load(KEY, QUIET);
  connected.simulator.fault.crashPrediction({ exitCode: '6', times: 1 });
  const { message } = await rejection(model.respond('hi').result());
  expect(message).toContain('crashed without additional information. (Exit code: 6)');
  expect(connected.simulator.residents()).toEqual([]);
});
