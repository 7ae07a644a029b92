import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';

import { caught, KEY, OTHER, requireCleanExit, withClient } from '../../test/load-harness.js';
import { connect } from '../index.js';

requireCleanExit();

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

test('two models load one after the other, because LM Studio would abort one of two concurrent loads', () =>
  withClient(async (client, simulator) => {
    simulator.fault.abortConcurrentLoads();
    await Promise.all([client.load({ modelKey: KEY }), client.load({ modelKey: OTHER })]);
    expect(simulator.residents()).toHaveLength(2);
  }));

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

test('refuses where a resident has other settings, and loads a second copy with another identifier', () =>
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

test('loadFirst fails with the failures of all requests, and stops at a failure that concerns the server', () =>
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
