import { caught, KEY, OTHER, requireCleanExit, withClient } from '../../test/load-harness.js';
import { connect } from '../client/connect.js';

requireCleanExit();

test('a stalled load ends at its deadline and leaves nothing loaded', () =>
  withClient(async (client, simulator) => {
    simulator.fault.stallLoad({ atProgress: 0.5 });
    const error = await caught(client.load({ modelKey: KEY, timeoutMs: 300 }));
    expect(error).toMatchObject({ code: 'LOAD_TIMED_OUT', modelKey: KEY, uncertain: false });
    expect(simulator.residents()).toEqual([]);
    expect(simulator.memoryInUse().ram).toEqual({ mappedBytes: 0, anonymousBytes: 0 });
  }));

test.each([
  ['LM Studio confirms after 100 ms', 100, 1000, 0],
  ['LM Studio does not confirm', 60_000, 6500, 1],
])(
  'a cancelled load ends in time, and is listed as unconfirmed where its end is not known: %s',
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

test('a load that goes on after its cancellation is unloaded when it completes', () =>
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

test('the timeout of a load says that its end is not confirmed, and another load that it still runs', () =>
  withClient(
    async (client, simulator) => {
      const error = await caught(client.load({ modelKey: KEY, timeoutMs: 300 }));
      expect(error).toMatchObject({ code: 'LOAD_TIMED_OUT', uncertain: true });
      expect(client.unconfirmedLoads()).toHaveLength(1);
      const again = await caught(client.load({ modelKey: KEY }));
      expect(again).toMatchObject({
        code: 'LOAD_REFUSED',
        message: expect.stringMatching(
          /LM Studio still runs it\. When that load has ended, Mai unloads/,
        ),
      });
      expect(client.unconfirmedLoads()).toHaveLength(1);
      // Another process does not know of the abandoned load.
      await using other = await connect({ baseUrl: simulator.baseUrl });
      expect(await caught(other.load({ modelKey: KEY }))).toMatchObject({
        code: 'LOAD_REFUSED',
        message: expect.stringMatching(/A load with this identifier may still run/),
      });
    },
    { speed: 1, world: { loadAfterCancel: 'continue', machine: { loadBytesPerSecond: 1e8 } } },
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

test('the copy of a new load is kept, although an abandoned load had the same identifier', () =>
  withClient(async (client, simulator) => {
    simulator.fault.stallLoad({ times: 1 });
    const cancel = new AbortController();
    const load = caught(client.load({ modelKey: KEY, signal: cancel.signal }));
    await simulator.seen('loadModel');
    const slow = simulator.fault.slowFrames({ delayMs: 60_000 });
    cancel.abort('enough');
    setTimeout(() => slow.clear(), 3500).unref();
    expect(await load).toBe('enough');
    expect(client.unconfirmedLoads()).toHaveLength(1);
    await client.load({ modelKey: KEY });
    expect(client.unconfirmedLoads()).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(simulator.residents()).toHaveLength(1);
  }));

test('an abandoned load on an LM Link device is uncertain, and is listed with its device', () =>
  withClient(
    async (client, simulator) => {
      simulator.fault.dropConnection({ atProgress: 0.1, times: 1 });
      const error = await caught(client.load({ modelKey: 'org/big' }));
      expect(error).toMatchObject({ code: 'UNREACHABLE', uncertain: true });
      expect(client.unconfirmedLoads()).toMatchObject([{ deviceIdentifier: 'tower' }]);
    },
    {
      speed: 1,
      world: {
        loadAfterDisconnect: 'continue',
        devices: [
          {
            deviceIdentifier: 'tower',
            models: [{ modelKey: 'org/big', sizeBytes: 1e9 }],
            machine: { loadBytesPerSecond: 1e8 },
          },
        ],
      },
    },
  ));

test('the error is uncertain where the loaded copy can neither be read back nor unloaded', () =>
  withClient(async (client, simulator) => {
    const load = caught(
      client.load({
        modelKey: KEY,
        onProgress: (ratio) => ratio === 1 && simulator.fault.hang({ endpoint: 'listLoaded' }),
      }),
    );
    expect(await load).toMatchObject({ code: 'TIMED_OUT', modelKey: KEY, uncertain: true });
    expect(client.unconfirmedLoads()).toHaveLength(1);
  }));

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

test('a cancelled loadFirst rejects with the reason and tries no further request', () =>
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
