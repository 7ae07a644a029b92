import { startSimulator, type Simulator, type SimulatorOptions } from '@mai/lmstudio-simulator';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';

import { handlesBackTo, openHandles } from '../../test/open-handles.js';
import { connect, isLMStudioError, type LMStudioClient } from '../index.js';

const KEY = 'qwen/qwen3-4b';
const OTHER = 'qwen/qwen3-1.7b';

let before = openHandles();
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
beforeAll(() => void process.on('unhandledRejection', onUnhandled));
afterAll(() => void process.off('unhandledRejection', onUnhandled));
beforeEach(() => {
  before = openHandles();
});
afterEach(async () => {
  expect(await handlesBackTo(before)).toEqual({});
  expect(unhandled).toEqual([]);
});

async function withClient(
  run: (client: LMStudioClient, simulator: Simulator) => Promise<void>,
  options: SimulatorOptions = {},
): Promise<void> {
  await using simulator = await startSimulator({ speed: 50, ...options });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await run(client, simulator);
}

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: unknown) => error,
  );

/** Asks until LM Studio answers; the only error until then is `UNREACHABLE`. */
async function comesBack(client: LMStudioClient): Promise<void> {
  for (;;) {
    try {
      await client.version();
      return;
    } catch (error) {
      expect(error).toMatchObject({ code: 'UNREACHABLE' });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

test('does not send a load that the guardrails refuse', () =>
  withClient(
    async (client, simulator) => {
      const error = await caught(client.load({ modelKey: KEY }));
      expect(error).toMatchObject({ code: 'LOAD_REFUSED', modelKey: KEY });
      expect(String(error)).toContain('guardrails refuse');
      expect(simulator.requests.map(({ endpoint }) => endpoint)).not.toContain('loadModel');
      expect(simulator.residents()).toEqual([]);
    },
    { world: { guardrails: { mode: 'custom', customThresholdBytes: 1 } } },
  ));

test('reports a refusal by the guardrails that comes after the estimate passed', () =>
  withClient(async (client, simulator) => {
    simulator.fault.refuseLoad();
    const load = client.load({ modelKey: KEY, checkGuardrails: false });
    expect(await caught(load)).toMatchObject({ code: 'LOAD_REFUSED' });
    expect(simulator.residents()).toEqual([]);
  }));

test.each([
  ['crashes half-way', (simulator: Simulator) => simulator.fault.crashLoad()],
  ['runs out of memory late', (simulator: Simulator) => simulator.fault.outOfMemory()],
])('the engine %s', (_, inject) =>
  withClient(async (client, simulator) => {
    inject(simulator);
    const error = await caught(client.load({ modelKey: KEY }));
    expect(isLMStudioError(error) && ['LOAD_FAILED', 'LOAD_REFUSED'].includes(error.code)).toBe(
      true,
    );
    expect(error).toMatchObject({ serverMessage: expect.stringMatching(/\w/), uncertain: false });
    // Whole sentences, without the SDK's headings.
    expect(String(error)).not.toContain('CAUSE');
    expect(String(error)).toMatch(/[.!?] Try a shorter context/);
    expect(simulator.residents()).toEqual([]);
  }),
);

test('tells an engine that ran out of memory from one that crashed', () =>
  withClient(async (client, simulator) => {
    simulator.fault.outOfMemory({ pool: 'vram', times: 1 });
    expect(await caught(client.load({ modelKey: KEY }))).toMatchObject({
      ...{ code: 'LOAD_FAILED', outOfMemory: true },
    });
    simulator.fault.crashLoad();
    expect(await caught(client.load({ modelKey: KEY }))).toMatchObject({
      ...{ code: 'LOAD_FAILED', outOfMemory: false },
    });
  }));

test('reports a context that is smaller than requested', () =>
  withClient(async (client, simulator) => {
    simulator.fault.shrinkContext({ toTokens: 1024 });
    const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 4096 };
    const { verified, instance } = await client.load({ modelKey: KEY, loadConfig });
    expect(verified).toEqual([{ field: 'contextLengthTokens', asked: 4096, got: 1024 }]);
    expect(instance.contextLengthTokens).toBe(1024);
  }));

test('a longer context than requested is reported, and the copy serves the next request', () =>
  withClient(async (client, simulator) => {
    simulator.fault.enlargeContext({ toTokens: 16_384 });
    const request = {
      modelKey: KEY,
      loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 4096 },
    };
    const difference = [{ field: 'contextLengthTokens', asked: 4096, got: 16_384 }];
    const first = await client.load(request);
    expect(first).toMatchObject({ reused: false, verified: difference });
    expect(first.instance.loadConfig.contextLengthTokens).toBe(16_384);
    expect(await client.load(request)).toMatchObject({ reused: true, verified: difference });
    expect(simulator.residents()).toHaveLength(1);
  }));

test('a copy that the user loaded serves a request with an identifier, where the caller allows it', () =>
  withClient(async (client, simulator) => {
    await client.load({ modelKey: KEY });
    const named = { modelKey: KEY, identifier: 'mai/qwen3-4b' };
    expect(await client.load({ ...named, reuse: true })).toMatchObject({
      reused: true,
      instance: { instanceIdentifier: KEY },
    });
    expect(await client.load(named)).toMatchObject({ reused: false });
    expect(simulator.residents()).toHaveLength(2);
  }));

test('a stalled load ends at its deadline and leaves nothing loaded', () =>
  withClient(async (client, simulator) => {
    simulator.fault.stallLoad({ atProgress: 0.5 });
    const error = await caught(client.load({ modelKey: KEY, timeoutMs: 300 }));
    expect(error).toMatchObject({ code: 'LOAD_TIMED_OUT', modelKey: KEY, uncertain: false });
    expect(simulator.residents()).toEqual([]);
    expect(simulator.memoryInUse().ram).toEqual({ mappedBytes: 0, anonymousBytes: 0 });
  }));

test.each(['continue', 'cancel'] as const)(
  'a connection that breaks during a load leaves nothing loaded, where LM Studio would %s the load',
  (loadAfterDisconnect) =>
    withClient(
      async (client, simulator) => {
        simulator.fault.dropConnection({ atProgress: 0.3, times: 1 });
        const error = await caught(client.load({ modelKey: KEY }));
        expect(error).toMatchObject({ code: 'UNREACHABLE' });
        expect(simulator.residents()).toEqual([]);
        // A later read must not make the SDK replay the load.
        await client.listResidents();
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(simulator.residents()).toEqual([]);
        expect(await client.load({ modelKey: KEY })).toMatchObject({ verified: [] });
        expect(simulator.residents()).toHaveLength(1);
      },
      { world: { loadAfterDisconnect } },
    ),
);

test.each([
  ['LM Studio confirms after 100 ms', 100, 1000, 0],
  ['LM Studio does not confirm', 60_000, 6500, 1],
])(
  'a cancelled load ends in time and is named where its end is unknown: %s',
  (_, delayMs, withinMs, unconfirmed) =>
    withClient(async (client, simulator) => {
      simulator.fault.stallLoad();
      const cancel = new AbortController();
      const load = caught(client.load({ modelKey: KEY, signal: cancel.signal }));
      await simulator.seen('loadModel');
      const slow = simulator.fault.slowFrames({ delayMs });
      const startedMs = performance.now();
      cancel.abort('enough');
      setTimeout(() => slow.clear(), 3000).unref();
      expect(await load).toBe('enough');
      expect(performance.now() - startedMs).toBeLessThan(withinMs);
      expect(client.unconfirmedLoads()).toHaveLength(unconfirmed);
    }),
);

test('a load that goes on after its cancellation is unloaded when it lands', () =>
  withClient(
    async (client, simulator) => {
      const cancel = new AbortController();
      const load = caught(client.load({ modelKey: KEY, signal: cancel.signal }));
      await simulator.seen('loadModel');
      cancel.abort('enough');
      expect(await load).toBe('enough');
      expect(client.unconfirmedLoads()).toMatchObject([{ modelKey: KEY }]);
      while (client.unconfirmedLoads().length > 0) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(simulator.residents()).toEqual([]);
    },
    {
      speed: 1,
      world: {
        loadAfterCancel: 'continue',
        loadAfterDisconnect: 'continue',
        machine: { loadBytesPerSecond: 3.5e8 },
      },
    },
  ));

test('the timeout of a load says that its end is not confirmed', () =>
  withClient(
    async (client) => {
      const error = await caught(client.load({ modelKey: KEY, timeoutMs: 300 }));
      expect(error).toMatchObject({ code: 'LOAD_TIMED_OUT', uncertain: true });
      expect(client.unconfirmedLoads()).toHaveLength(1);
    },
    { speed: 1, world: { loadAfterCancel: 'continue', machine: { loadBytesPerSecond: 1e8 } } },
  ));

test('an authenticator that never accepts an identifier again accepts each new connection', () =>
  withClient(
    async (client, simulator) => {
      simulator.fault.dropConnection({ atProgress: 0.3, times: 1 });
      expect(await caught(client.load({ modelKey: KEY }))).toMatchObject({ code: 'UNREACHABLE' });
      simulator.dropConnections();
      expect(await client.listResidents()).toEqual([]);
      expect((await client.load({ modelKey: KEY })).reused).toBe(false);
    },
    { world: { authenticator: 'first-come', loadAfterDisconnect: 'continue' } },
  ));

test('a copy that an abandoned load leaves behind later is unloaded without another call', () =>
  withClient(
    async (client, simulator) => {
      simulator.fault.dropConnection({ atProgress: 0.1, times: 1 });
      const error = await caught(client.load({ modelKey: KEY }));
      expect(error).toMatchObject({ code: 'UNREACHABLE', uncertain: true });
      expect(client.unconfirmedLoads()).toEqual([
        { modelKey: KEY, instanceIdentifier: KEY, deviceIdentifier: null },
      ]);
      while (simulator.residents().length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      while (client.unconfirmedLoads().length > 0) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(simulator.residents()).toEqual([]);
    },
    { speed: 1, world: { loadAfterDisconnect: 'continue', machine: { loadBytesPerSecond: 7e8 } } },
  ));

test('the next load unloads a copy that an abandoned load left behind later', () =>
  withClient(
    async (client, simulator) => {
      simulator.fault.dropConnection({ atProgress: 0.1, times: 1 });
      const error = await caught(client.load({ modelKey: KEY }));
      expect(error).toMatchObject({ code: 'UNREACHABLE', uncertain: true });
      while (simulator.residents().length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const next = 'text-embedding-nomic-embed-text-v1.5';
      await client.load({ modelKey: next });
      expect(simulator.residents().map(({ modelKey }) => modelKey)).toEqual([next]);
    },
    { speed: 1, world: { loadAfterDisconnect: 'continue', machine: { loadBytesPerSecond: 7e8 } } },
  ));

test('the client works again after LM Studio restarts during a load', () =>
  withClient(async (client, simulator) => {
    simulator.fault.restart({ atProgress: 0.4, downMs: 50, times: 1 });
    expect(await caught(client.load({ modelKey: KEY }))).toMatchObject({ code: 'UNREACHABLE' });
    await comesBack(client);
    expect(simulator.residents()).toEqual([]);
    await client.load({ modelKey: KEY });
    expect(simulator.residents().map(({ modelKey }) => modelKey)).toEqual([KEY]);
  }));

test('the client works again after restarts between its calls', () =>
  withClient(async (client, simulator) => {
    await client.load({ modelKey: KEY });
    await simulator.restart();
    expect(await client.listResidents()).toEqual([]);
    await simulator.restart();
    expect((await client.listDownloaded()).models).not.toEqual([]);
    simulator.dropConnections();
    expect((await client.load({ modelKey: KEY })).reused).toBe(false);
  }));

test('a load requested while LM Studio is off is not carried out later', async () => {
  const simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await client.listResidents();
  await simulator.stop();
  for (let attempt = 0; attempt < 2; attempt++) {
    expect(await caught(client.load({ modelKey: KEY }))).toMatchObject({ code: 'UNREACHABLE' });
    expect(await caught(client.unload(KEY))).toMatchObject({ code: 'UNREACHABLE' });
  }
  await using again = await startSimulator({ speed: 50, port: simulator.port });
  await client.listResidents();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(again.residents()).toEqual([]);
  expect(again.requests.map(({ endpoint }) => endpoint)).not.toContain('loadModel');
});

test('aborting after the load changes nothing, also after the client was closed', () =>
  withClient(async (client, simulator) => {
    const cancel = new AbortController();
    await client.load({ modelKey: KEY, signal: cancel.signal });
    await client.close();
    cancel.abort();
    await new Promise((resolve) => setImmediate(resolve));
    expect(simulator.residents()).toHaveLength(1);
  }));

test('an aborted signal starts nothing', () =>
  withClient(async (client, simulator) => {
    const reason = new Error('never mind');
    const load = client.load({ modelKey: KEY, signal: AbortSignal.abort(reason) });
    expect(await caught(load)).toBe(reason);
    expect(simulator.requests.map(({ endpoint }) => endpoint)).not.toContain('loadModel');
  }));

test('AbortSignal.timeout cancels with a TimeoutError', () =>
  withClient(async (client, simulator) => {
    simulator.fault.stallLoad();
    const error = await caught(client.load({ modelKey: KEY, signal: AbortSignal.timeout(200) }));
    expect(error).toMatchObject({ name: 'TimeoutError' });
    expect(simulator.residents()).toEqual([]);
  }));

test('closing the client cancels its load and leaves nothing loaded', () =>
  withClient(async (client, simulator) => {
    simulator.fault.stallLoad();
    const load = caught(client.load({ modelKey: KEY }));
    await simulator.seen('loadModel');
    await client.close();
    expect(await load).toMatchObject({ code: 'UNREACHABLE' });
    expect(simulator.residents()).toEqual([]);
    expect(simulator.memoryInUse().ram).toEqual({ mappedBytes: 0, anonymousBytes: 0 });
  }));

test('two callers share one load, which goes on when one of them leaves', () =>
  withClient(async (client, simulator) => {
    const stalled = simulator.fault.slowFrames({ delayMs: 20 });
    const leave = new AbortController();
    const reason = new Error('bye');
    const first = caught(client.load({ modelKey: KEY, signal: leave.signal }));
    const second = client.load({ modelKey: KEY });
    await simulator.seen('loadModel');
    leave.abort(reason);
    expect(await first).toBe(reason);
    stalled.clear();
    expect((await second).instance.modelKey).toBe(KEY);
    expect(simulator.requests.filter(({ endpoint }) => endpoint === 'loadModel')).toHaveLength(1);
    expect(simulator.residents()).toHaveLength(1);
  }));

test('a load is cancelled when one signal makes all its callers leave', () =>
  withClient(async (client, simulator) => {
    simulator.fault.stallLoad();
    const leave = new AbortController();
    const loads = [1, 2, 3].map(() => caught(client.load({ modelKey: KEY, signal: leave.signal })));
    await simulator.seen('loadModel');
    const reason = new Error('all of us');
    leave.abort(reason);
    expect(await Promise.all(loads)).toEqual([reason, reason, reason]);
    expect(simulator.memoryInUse().ram).toEqual({ mappedBytes: 0, anonymousBytes: 0 });
  }));

test('refuses an identifier that another client takes at the same moment, and keeps that client’s copy', () =>
  withClient(async (client, simulator) => {
    await using other = await connect({ baseUrl: simulator.baseUrl });
    const outcomes = await Promise.allSettled(
      [client, other].map((one) => one.load({ modelKey: KEY, identifier: 'the-one' })),
    );
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toMatchObject([{ reason: { code: 'LOAD_REFUSED' } }]);
    expect(simulator.residents()).toHaveLength(1);
  }));

test('refuses to load an LLM as an embedding model', () =>
  withClient(async (client, simulator) => {
    const load = client.load({ modelKey: KEY, kind: 'embedding', checkGuardrails: false });
    expect(await caught(load)).toMatchObject({ code: 'LOAD_REFUSED' });
    expect(simulator.residents()).toEqual([]);
  }));

test('a cancelled load of a variant leaves nothing loaded', () =>
  withClient(
    async (client, simulator) => {
      const cancel = new AbortController();
      const load = client.load({
        modelKey: `${KEY}@q8_0`,
        signal: cancel.signal,
        onProgress: (ratio) => ratio > 0.2 && cancel.abort('enough'),
      });
      expect(await caught(load)).toBe('enough');
      expect(simulator.residents()).toEqual([]);
      expect((await client.load({ modelKey: `${KEY}@q8_0` })).verified).toEqual([]);
    },
    { speed: 20 },
  ));

test('two models load one after the other, because LM Studio would abort one of two concurrent loads', () =>
  withClient(async (client, simulator) => {
    simulator.fault.abortConcurrentLoads();
    await Promise.all([client.load({ modelKey: KEY }), client.load({ modelKey: OTHER })]);
    expect(simulator.residents()).toHaveLength(2);
  }));

test('a read that times out does not end a running load', () =>
  withClient(async (client, simulator) => {
    simulator.fault.slowFrames({ delayMs: 10 });
    const load = client.load({ modelKey: KEY });
    await simulator.seen('loadModel');
    simulator.fault.hang({ endpoint: 'version', times: 1 });
    expect(await caught(client.version({ timeoutMs: 30 }))).toMatchObject({ code: 'TIMED_OUT' });
    expect((await load).verified).toEqual([]);
  }));

test('an unload whose answer is lost is checked against the list of residents', () =>
  withClient(async (client, simulator) => {
    await client.load({ modelKey: KEY });
    simulator.fault.hang({ endpoint: 'unloadModel', times: 1 });
    const error = await caught(client.unload(KEY, { timeoutMs: 300 }));
    expect(error).toMatchObject({ code: 'TIMED_OUT', uncertain: true });
    expect(simulator.residents()).toHaveLength(1);
    simulator.fault.invalidResult({ endpoint: 'unloadModel', times: 1 });
    await client.unload(KEY);
    expect(simulator.residents()).toEqual([]);
  }));

test('cancelling a generation ends it in LM Studio, too', () =>
  withClient(
    async (client) => {
      await client.load({ modelKey: KEY });
      const cancel = new AbortController();
      const reason = new Error('enough said');
      const generation = caught(
        client.generate({
          instanceIdentifier: KEY,
          prompt: 'hi',
          maxTokens: 5000,
          signal: cancel.signal,
          onText: () => cancel.abort(reason),
        }),
      );
      expect(await generation).toBe(reason);
      expect((await client.listResidents())[0]?.activity).toBe('idle');
    },
    { speed: 3 },
  ));

test('loadFirst tries the requests in order and reports each failure', () =>
  withClient(async (client, simulator) => {
    simulator.fault.crashLoad({ modelKey: KEY });
    const result = await client.loadFirst([
      { modelKey: 'qwen/qwen3-5b' },
      { modelKey: KEY },
      { modelKey: OTHER },
    ]);
    expect(result.index).toBe(2);
    expect(result.instance.modelKey).toBe(OTHER);
    expect(result.failures).toMatchObject([
      { modelKey: 'qwen/qwen3-5b', error: { code: 'MODEL_NOT_FOUND' } },
      { modelKey: KEY, error: { code: 'LOAD_FAILED' } },
    ]);
    expect(simulator.residents()).toHaveLength(1);
  }));

test('a cancelled loadFirst rejects with the reason and tries nothing more', () =>
  withClient(async (client, simulator) => {
    simulator.fault.stallLoad({ modelKey: KEY });
    const controller = new AbortController();
    const { signal } = controller;
    const load = caught(
      client.loadFirst([
        { modelKey: KEY, signal },
        { modelKey: OTHER, signal },
      ]),
    );
    await simulator.seen('loadModel');
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await load).toBe(reason);
    expect(simulator.requests.filter(({ endpoint }) => endpoint === 'loadModel')).toHaveLength(1);
    expect(simulator.residents()).toEqual([]);
  }));

test('refuses where a resident has other settings; another identifier makes a second copy', () =>
  withClient(async (client, simulator) => {
    await client.load({ modelKey: KEY });
    const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 16_384 };
    const inTheWay = await caught(client.load({ modelKey: KEY, loadConfig }));
    expect(inTheWay).toMatchObject({ code: 'LOAD_REFUSED', instanceIdentifier: KEY });
    expect(String(inTheWay)).toContain('with other settings');
    const taken = await caught(client.load({ modelKey: OTHER, identifier: KEY }));
    expect(taken).toMatchObject({ code: 'LOAD_REFUSED', instanceIdentifier: KEY });
    expect(simulator.residents()).toHaveLength(1);
    expect((await client.load({ modelKey: KEY })).reused).toBe(true);
    const copy = await client.load({ modelKey: KEY, identifier: 'mine' });
    expect(copy).toMatchObject({ reused: false, instance: { instanceIdentifier: 'mine' } });
    expect(simulator.residents()).toHaveLength(2);
  }));

test('loadFirst fails with all failures, and stops at a failure that concerns the server', () =>
  withClient(async (client, simulator) => {
    simulator.fault.crashLoad();
    const all = await caught(client.loadFirst([{ modelKey: KEY }, { modelKey: OTHER }]));
    expect(all).toMatchObject({
      code: 'LOAD_FAILED',
      failures: [{ modelKey: KEY }, { modelKey: OTHER }],
    });
    await simulator.stop();
    const off = await caught(client.loadFirst([{ modelKey: KEY }, { modelKey: OTHER }]));
    expect(off).toMatchObject({ code: 'UNREACHABLE' });
  }));

test.each([
  [{ kvCacheTypeK: 'bf16' as const }, 'bf16'],
  [{ offloadRatio: 1.5 }, 'offloadRatio is 1.5'],
  [{ contextLengthTokens: 0 }, 'contextLengthTokens is 0'],
])('refuses %j, which LM Studio does not offer', (part, text) =>
  withClient(async (client, simulator) => {
    const error = await caught(
      client.load({ modelKey: KEY, loadConfig: { ...DEFAULT_LOAD_CONFIG, ...part } }),
    );
    expect(error).toMatchObject({ code: 'LOAD_REFUSED' });
    expect(String(error)).toContain(text);
    expect(simulator.residents()).toEqual([]);
  }),
);
