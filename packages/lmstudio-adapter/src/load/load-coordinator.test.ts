import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import * as fc from 'fast-check';

import { fakeTimers } from '../../test/fake-timers.js';
import { loopbackAddress } from '../discovery/base-url.js';
import { LoadCoordinator, type RunLoad } from './load-coordinator.js';
import type { LoadResult } from './load-types.js';

const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value,
    (error: unknown) => error,
  );

/** A coordinator whose loads end when the test ends them. Counts loads that overlap on a device. */
function harness() {
  const timers = fakeTimers();
  const running: { key: string; device: string; finish: () => void; signal: AbortSignal }[] = [];
  const started: string[] = [];
  let mostPerDevice = 0;
  const run: RunLoad = (load, signal, onProgress) =>
    new Promise((resolve, reject) => {
      const device = load.deviceIdentifier ?? '';
      const entry = {
        key: load.modelKey,
        device,
        signal,
        finish: () => {
          running.splice(running.indexOf(entry), 1);
          resolve({ verified: [], reused: false } as unknown as LoadResult);
        },
      };
      started.push(load.modelKey);
      running.push(entry);
      mostPerDevice = Math.max(
        mostPerDevice,
        running.filter((other) => other.device === device).length,
      );
      onProgress(0.5);
      signal.addEventListener('abort', () => {
        running.splice(running.indexOf(entry), 1);
        reject(signal.reason as Error);
      });
    });
  const coordinator = new LoadCoordinator(
    { timers, address: loopbackAddress(1234) },
    { has: () => false },
    run,
  );
  return { coordinator, timers, running, started, mostPerDevice: () => mostPerDevice };
}

test('loads on one device run one after another, and loads on two devices run at the same time', async () => {
  const { coordinator, timers, running } = harness();
  const loads = [
    coordinator.load({ modelKey: 'a' }),
    coordinator.load({ modelKey: 'b' }),
    coordinator.load({ modelKey: 'c', deviceIdentifier: 'tower' }),
  ];
  await timers.advance(0);
  expect(running.map(({ key }) => key)).toEqual(['a', 'c']);
  running[0]?.finish();
  await timers.advance(0);
  expect(running.map(({ key }) => key)).toEqual(['c', 'b']);
  for (const { finish } of [...running]) finish();
  await Promise.all(loads);
});

test('a load that names no device waits for a load on LM Studio’s own machine', async () => {
  const { coordinator, timers, running } = harness();
  void outcome(coordinator.load({ modelKey: 'a' }));
  void outcome(coordinator.load({ modelKey: 'b', deviceIdentifier: null }));
  await timers.advance(0);
  expect(running).toHaveLength(1);
});

test('requests share a load only when all their fields are equal', async () => {
  const { coordinator, timers, started, running } = harness();
  const same = [
    { modelKey: 'a' },
    { modelKey: 'a', loadConfig: DEFAULT_LOAD_CONFIG, ttlMs: null },
    { modelKey: 'a', loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 1 } },
    { modelKey: 'a', ttlMs: 5 },
    { modelKey: 'a', identifier: 'a' },
    { modelKey: 'a', deviceIdentifier: null },
  ].map((request) => coordinator.load(request));
  for (let turn = 0; turn < 6; turn++) {
    await timers.advance(0);
    running[0]?.finish();
  }
  await Promise.all(same);
  expect(started).toHaveLength(5);
});

test('a caller that joins late gets the progress so far', async () => {
  const { coordinator, timers, running } = harness();
  const first: number[] = [];
  const second: number[] = [];
  const a = coordinator.load({ modelKey: 'a', onProgress: (ratio) => first.push(ratio) });
  await timers.advance(0);
  const b = coordinator.load({
    modelKey: 'a',
    onProgress: (ratio) => {
      second.push(ratio);
      throw new Error('thrown by the listener');
    },
  });
  expect([first, second]).toEqual([[0.5], [0.5]]);
  running[0]?.finish();
  await Promise.all([a, b]);
});

test('the deadline includes the wait in the queue, and a caller can leave the queue at once', async () => {
  const { coordinator, timers, started } = harness();
  void outcome(coordinator.load({ modelKey: 'a' }));
  const waiting = outcome(coordinator.load({ modelKey: 'b', timeoutMs: 100 }));
  await timers.advance(100);
  expect(await waiting).toMatchObject({ code: 'LOAD_TIMED_OUT', modelKey: 'b' });
  expect(started).toEqual(['a']);
});

test('an equal request that arrives during a cancellation starts a new load', async () => {
  const { coordinator, timers, running, started } = harness();
  const cancel = new AbortController();
  const first = outcome(coordinator.load({ modelKey: 'a', signal: cancel.signal }));
  await timers.advance(0);
  cancel.abort('gone');
  const second = coordinator.load({ modelKey: 'a' });
  expect(await first).toBe('gone');
  await timers.advance(0);
  expect(started).toEqual(['a', 'a']);
  running[0]?.finish();
  await second;
});

test('while callers come and go, two loads never overlap, and each caller gets an outcome', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('load' as const), key: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ do: fc.constant('cancel' as const), caller: fc.nat(20) }),
    fc.record({ do: fc.constant('finish' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { coordinator, timers, running, mostPerDevice } = harness();
      const cancels: AbortController[] = [];
      const outcomes: Promise<unknown>[] = [];
      for (const one of steps) {
        if (one.do === 'load') {
          const cancel = new AbortController();
          cancels.push(cancel);
          const load = coordinator.load({ modelKey: one.key, signal: cancel.signal });
          outcomes.push(outcome(load));
        } else if (one.do === 'cancel') {
          cancels[one.caller % Math.max(1, cancels.length)]?.abort('cancelled');
        } else {
          running[0]?.finish();
        }
        await timers.advance(0);
      }
      for (const cancel of cancels) cancel.abort('cancelled');
      expect(await Promise.all(outcomes)).toHaveLength(cancels.length);
      await timers.advance(0);
      expect(running).toEqual([]);
      expect(mostPerDevice()).toBeLessThanOrEqual(1);
      expect(timers.pending).toBe(0);
    }),
    { numRuns: 60 },
  );
});
