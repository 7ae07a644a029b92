import { rejection, startWithClient, until } from '../test/connect-sdk.js';
import { manualClock, startSimulator } from './index.js';
import type { WorldInput } from './index.js';
import { connectSdk } from '../test/connect-sdk.js';

const GIB = 2 ** 30;
const QUIET = { verbose: false } as const;

/**
 * 8 GiB of free RAM, no GPU, and models of 1, 4 and 12 GiB whose context takes very little
 * memory.
 */
const SMALL_WORLD: WorldInput = {
  machine: { ramBytes: 10 * GIB, othersRamBytes: 2 * GIB, gpus: [], loadBytesPerSecond: GIB },
  models: [1, 4, 12].map((size) => ({
    modelKey: `size-${size}`,
    sizeBytes: size * GIB,
    geometry: { layers: 1, kvHeads: 1, headDimension: 1, hiddenSize: 1, vocabularySize: 0 },
  })),
  guardrails: { mode: 'off' },
};

test('a load takes time in proportion to its size, and its memory grows with the progress', async () => {
  const clock = manualClock();
  await using simulator = await startSimulator({ world: SMALL_WORLD, clock });
  await using connection = connectSdk(simulator.baseUrl);
  const loading = connection.client.llm.load('size-4', QUIET);
  await simulator.seen('loadModel');
  await clock.advance(2000);
  expect(simulator.memoryInUse().ram.anonymousBytes).toBe(2 * GIB);
  expect(simulator.residents()).toEqual([]);
  await clock.advance(1999);
  expect(simulator.residents()).toEqual([]);
  await clock.advance(201);
  await loading;
  expect(simulator.memoryInUse().ram.anonymousBytes).toBeGreaterThanOrEqual(4 * GIB);
  await connection.client.llm.unload('size-4');
  expect(simulator.memoryInUse().ram).toEqual({ mappedBytes: 0, anonymousBytes: 0 });
});

test('a cancelled load rejects with the reason and leaves no memory in use', async () => {
  await using connected = await startWithClient({ speed: 0.01 });
  const controller = new AbortController();
  const loading = rejection(
    connected.client.llm.load('qwen/qwen3-8b', { ...QUIET, signal: controller.signal }),
  );
  await connected.simulator.seen('loadModel');
  controller.abort(new Error('changed my mind'));
  expect((await loading).message).toBe('changed my mind');
  await connected.simulator.seen('channelSend');
  expect(connected.simulator.residents()).toEqual([]);
  expect(connected.simulator.memoryInUse().gpus[0]?.bytes).toBe(0);
});

test('a second load of the same key loads a second copy, and an identifier can be used only once', async () => {
  await using connected = await startWithClient();
  await connected.client.llm.load('qwen/qwen3-1.7b', QUIET);
  await connected.client.llm.load('qwen/qwen3-1.7b', QUIET);
  await connected.client.llm.load('qwen/qwen3-1.7b', { ...QUIET, identifier: 'named' });
  expect(
    connected.simulator.residents().map(({ instanceIdentifier }) => instanceIdentifier),
  ).toEqual(['qwen/qwen3-1.7b', 'qwen/qwen3-1.7b:2', 'named']);
  const error = await rejection(
    connected.client.llm.load('qwen/qwen3-4b', { ...QUIET, identifier: 'named' }),
  );
  expect(error.message).toContain('"named" is already loaded');
});

test('errors have the fields from which the SDK makes its messages', async () => {
  await using connected = await startWithClient();
  const { client } = connected;
  expect((await rejection(client.llm.load('nope', QUIET))).message).toMatch(
    /Cannot find a model with path "nope"/,
  );
  expect(
    (await rejection(client.llm.load('text-embedding-nomic-embed-text-v1.5', QUIET))).message,
  ).toMatch(/wrong domain/i);
  expect((await rejection(client.llm.unload('zzz'))).message).toMatch(
    /Cannot find a model with the identifier "zzz"|Cannot find a model with identifier "zzz"/,
  );
  expect((await rejection(client.llm.model())).message).toMatch(
    /No model|no model|No loaded model/,
  );
  const model = await client.llm.load('qwen/qwen3-1.7b', QUIET);
  await model.unload();
  expect((await rejection(model.getModelInfo())).message).toMatch(/already been unloaded/);
});

test('the guardrails refuse a load by the same estimate that the SDK can request', async () => {
  await using connected = await startWithClient({
    world: { ...SMALL_WORLD, guardrails: { mode: 'low' } },
  });
  const { client } = connected;
  expect(await client.llm.estimateResourcesUsage('size-4', {})).toMatchObject({
    passesGuardrails: true,
    memory: { modelBytes: 4 * GIB, modelVramBytes: 0 },
  });
  expect((await client.llm.estimateResourcesUsage('size-12', {})).passesGuardrails).toBe(false);
  const error = await rejection(client.llm.load('size-12', QUIET));
  expect(error.message).toMatch(/insufficient system resources.*approximately 12\.00 GB/s);
  // The guardrails count residents: two models of 4 GiB and 2 GiB of other programs fill the 10
  // GiB.
  await client.llm.load('size-4', QUIET);
  expect((await client.llm.estimateResourcesUsage('size-4', {})).passesGuardrails).toBe(false);
});

test('without guardrails memory runs out during the load, and the failed load frees its memory', async () => {
  await using connected = await startWithClient({ world: SMALL_WORLD });
  await connected.client.llm.load('size-4', QUIET);
  const progress: number[] = [];
  const error = await rejection(
    connected.client.llm.load('size-12', { ...QUIET, onProgress: (ratio) => progress.push(ratio) }),
  );
  expect(error.message).toMatch(/Error loading model.*Exit code/s);
  expect(progress.at(-1)).toBeLessThan(0.4);
  expect(connected.simulator.residents().map(({ modelKey }) => modelKey)).toEqual(['size-4']);
});

test('memory that another program uses on the GPU makes the load fail late', async () => {
  await using connected = await startWithClient({
    world: {
      machine: { gpus: [{ name: 'card', totalBytes: 12 * GIB, othersBytes: 9 * GIB }] },
    },
  });
  const config = { gpu: { ratio: 'max' } } as const;
  const estimate = await connected.client.llm.estimateResourcesUsage('qwen/qwen3-8b', config);
  expect(estimate.passesGuardrails).toBe(true);
  const error = await rejection(
    connected.client.llm.load('qwen/qwen3-8b', { ...QUIET, config: { gpu: { ratio: 1 } } }),
  );
  expect(error.message).toMatch(/unable to allocate CUDA0 buffer/);
  expect(connected.simulator.memoryInUse().gpus[0]?.bytes).toBe(0);
});

test('a time to live ends an idle instance, but not a busy instance', async () => {
  const clock = manualClock();
  await using simulator = await startSimulator({ clock, speed: Infinity });
  await using connection = connectSdk(simulator.baseUrl);
  const loading = connection.client.llm.load('qwen/qwen3-4b', { ...QUIET, ttl: 60 });
  await simulator.seen('loadModel');
  await clock.advance(0);
  await loading;
  await clock.advance(59_000);
  simulator.setBusy('qwen/qwen3-4b', { forMs: 100_000, queued: 2 });
  expect(simulator.residents()[0]).toMatchObject({ activity: 'generating', queued: 2 });
  await clock.advance(100_000);
  expect(simulator.residents()[0]).toMatchObject({ activity: 'idle', queued: 0 });
  await clock.advance(59_999);
  expect(simulator.residents()).toHaveLength(1);
  await clock.advance(1);
  expect(simulator.residents()).toHaveLength(0);
});

test('just-in-time loads have an hour to live, share one load, and evict one another', async () => {
  await using connected = await startWithClient({ speed: 20 });
  const { client, simulator } = connected;
  const [one, two] = await Promise.all([
    client.llm.model('qwen/qwen3-4b', QUIET),
    client.llm.model('qwen/qwen3-4b', QUIET),
  ]);
  expect(one?.identifier).toBe(two?.identifier);
  expect(simulator.residents()).toMatchObject([{ justInTime: true, ttlMs: 3_600_000 }]);
  expect((await client.llm.model('qwen/qwen3-4b', QUIET)).identifier).toBe('qwen/qwen3-4b');
  await client.llm.load('qwen/qwen3-1.7b', QUIET);
  await client.llm.model('qwen/qwen2.5-7b-instruct', QUIET);
  // A model that was not loaded just in time stays.
  expect(simulator.residents().map(({ modelKey }) => modelKey)).toEqual([
    'qwen/qwen3-1.7b',
    'qwen/qwen2.5-7b-instruct',
  ]);
});

test('predictions beyond the parallel slots wait in a queue, and can be stopped', async () => {
  await using connected = await startWithClient();
  const model = await connected.client.llm.load('qwen/qwen3-4b', {
    ...QUIET,
    config: { maxParallelPredictions: 1 },
  });
  const clockWork = connected.simulator;
  const slow = model.respond('a question', { maxTokens: 1_000_000 });
  await until(() => clockWork.residents()[0]?.activity === 'generating');
  const waiting = model.respond('another one', { maxTokens: 2 });
  await until(() => clockWork.residents()[0]?.queued === 1);
  expect(await model.getInstanceProcessingState()).toEqual({ status: 'generating', queued: 1 });
  await slow.cancel();
  expect((await slow).stats.stopReason).toBe('userStopped');
  expect((await waiting).content).toBe('Hello from');
  expect(clockWork.residents()[0]?.lastUsedAtMs).toEqual(expect.any(Number));
});

test('a prediction ends when its model is unloaded, or when its context is full', async () => {
  await using connected = await startWithClient();
  const model = await connected.client.llm.load('qwen/qwen3-4b', {
    ...QUIET,
    config: { contextLength: 16 },
  });
  const full = await model.respond('hi', {
    maxTokens: 1000,
    contextOverflowPolicy: 'stopAtLimit',
  });
  expect(full.stats).toMatchObject({ stopReason: 'contextLengthReached', totalTokensCount: 16 });
  await model.unload();
  const other = await connected.client.llm.load('qwen/qwen3-4b', QUIET);
  const running = other.respond('hi', { maxTokens: 1_000_000 });
  await until(() => connected.simulator.residents()[0]?.activity === 'generating');
  await other.unload();
  expect((await running).stats.stopReason).toBe('modelUnloaded');
});

test.each(['continue', 'cancel'] as const)(
  'a load whose client has disconnected can %s',
  async (loadAfterDisconnect) => {
    const clock = manualClock();
    await using simulator = await startSimulator({
      world: { ...SMALL_WORLD, loadAfterDisconnect },
      clock,
    });
    await using connection = connectSdk(simulator.baseUrl);
    const loading = rejection(connection.client.llm.load('size-1', QUIET));
    await simulator.seen('loadModel');
    await clock.advance(500);
    simulator.dropConnections();
    expect((await loading).message).toBe('WebSocket connection closed');
    await clock.advance(10_000);
    expect(simulator.residents()).toHaveLength(loadAfterDisconnect === 'continue' ? 1 : 0);
  },
);

test('a cancel is confirmed some time later, and until then the load takes memory', async () => {
  const clock = manualClock();
  await using simulator = await startSimulator({ world: SMALL_WORLD, clock });
  await using connection = connectSdk(simulator.baseUrl);
  const controller = new AbortController();
  const { signal } = controller;
  const loading = rejection(connection.client.llm.load('size-4', { ...QUIET, signal }));
  await simulator.seen('loadModel');
  await clock.advance(2000);
  controller.abort(new Error('changed my mind'));
  expect((await loading).message).toBe('changed my mind');
  await simulator.seen('channelSend');
  await clock.advance(49);
  expect(simulator.memoryInUse().ram.anonymousBytes).toBe(2 * GIB);
  await clock.advance(1);
  expect(simulator.memoryInUse().ram.anonymousBytes).toBe(0);
  expect(simulator.residents()).toEqual([]);
});

test('a cancelled load ends even where the client closes its connection right after the cancel', async () => {
  const clock = manualClock();
  await using simulator = await startSimulator({ world: SMALL_WORLD, clock });
  await using connection = connectSdk(simulator.baseUrl);
  const controller = new AbortController();
  const { signal } = controller;
  const loading = rejection(connection.client.llm.load('size-4', { ...QUIET, signal }));
  await simulator.seen('loadModel');
  await clock.advance(1000);
  controller.abort();
  await loading;
  await simulator.seen('channelSend');
  simulator.dropConnections();
  await clock.advance(60_000);
  expect(simulator.residents()).toEqual([]);
});

test('loadAfterCancel continue: the model is loaded in spite of the cancel', async () => {
  const clock = manualClock();
  const world = { ...SMALL_WORLD, loadAfterCancel: 'continue' as const };
  await using simulator = await startSimulator({ world, clock });
  await using connection = connectSdk(simulator.baseUrl);
  const controller = new AbortController();
  const { signal } = controller;
  const loading = rejection(connection.client.llm.load('size-4', { ...QUIET, signal }));
  await simulator.seen('loadModel');
  await clock.advance(1000);
  controller.abort();
  expect((await loading).name).toBe('AbortError');
  await simulator.seen('channelSend');
  await clock.advance(5000);
  expect(simulator.residents().map(({ modelKey }) => modelKey)).toEqual(['size-4']);
});

test('enlarge-context: the load gets a larger context than requested, at most the maximum', async () => {
  const machine = { gpus: [{ name: 'large', totalBytes: 96 * GIB }] };
  await using connected = await startWithClient({ world: { machine } });
  const { client, simulator } = connected;
  const config = { contextLength: 4096 };
  simulator.fault.enlargeContext({ toTokens: 20_000, times: 1 });
  const some = await client.llm.load('qwen/qwen3-1.7b', { ...QUIET, config });
  expect((await some.getModelInfo()).contextLength).toBe(20_000);
  expect(simulator.residents()[0]?.contextLengthTokens).toBe(20_000);
  simulator.fault.enlargeContext({ times: 1 });
  const most = await client.llm.load('qwen/qwen3-1.7b', { ...QUIET, config });
  expect((await most.getModelInfo()).contextLength).toBe(40_960);
  const asked = await client.llm.load('qwen/qwen3-1.7b', { ...QUIET, config });
  expect((await asked.getModelInfo()).contextLength).toBe(4096);
});

test('autoFit takes layers off the GPU until the model fits, and without autoFit the load fails', async () => {
  const machine = { gpus: [{ name: 'small', totalBytes: 3 * GIB }] };
  await using connected = await startWithClient({
    world: { machine, guardrails: { mode: 'off' } },
  });
  const { client, simulator } = connected;
  await client.llm.load('qwen/qwen3-8b', QUIET);
  expect(simulator.memoryInUse().gpus[0]?.bytes).toBeCloseTo(3 * GIB, -1);
  await client.llm.unload('qwen/qwen3-8b');
  // The SDK turns autoFit off where a context is given.
  const loading = client.llm.load('qwen/qwen3-8b', { ...QUIET, config: { contextLength: 4096 } });
  expect((await rejection(loading)).message).toMatch(/unable to allocate CUDA0 buffer/);
});
