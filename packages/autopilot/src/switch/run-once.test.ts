import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { codedError, FakeWorld, GIB } from '../../test/fake-world.js';
import { LARGE, SMALL } from '../../test/samples.js';
import type { SelectionRequest } from '../request/selection-request.js';
import type { Yield } from '../journal/journal-state.js';
import type { RunEvent } from './report/run-event.js';
import { runOnce, type RunOptions } from './run-once.js';
import type { RunReport } from './report/run-report.js';

const MEDIUM = { modelKey: 'medium', bytes: 8 * GIB };

async function run(
  world: FakeWorld,
  request: SelectionRequest = {},
  options: RunOptions = {},
): Promise<RunReport & { readonly events: readonly RunEvent[] }> {
  const events: RunEvent[] = [];
  const report = await world.clock.drive(
    runOnce(world.ports, request, { ...options, onEvent: (event) => events.push(event) }),
  );
  expect(world.clock.pending).toBe(0);
  expect(world.maxLoading).toBeLessThanOrEqual(1);
  return { ...report, events };
}

const types = (events: readonly RunEvent[]): string[] => [
  ...new Set(events.map((event) => event.type)),
];

describe('runOnce', () => {
  it('loads the best model that fits when nothing is loaded', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const report = await run(world);
    expect(report).toMatchObject({
      outcome: 'switched',
      instanceIdentifier: 'mai/large',
      failures: [],
      unloaded: [],
    });
    expect(world.residentKeys()).toEqual(['large']);
    expect(types(report.events)).toEqual(['observing', 'decided', 'loading', 'settling', 'loaded']);
  });

  it('keeps a resident that is the best model that fits', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.place('large');
    const report = await run(world);
    expect(report).toMatchObject({ outcome: 'kept', instanceIdentifier: 'mai/large', loaded: [] });
    expect(world.log).toEqual([]);
  });

  it('loads and unloads nothing in a dry run', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const report = await run(world, {}, { dryRun: true });
    expect(report).toMatchObject({ outcome: 'would-switch', instanceIdentifier: null });
    expect(report.last.selection.chosen?.modelKey).toBe('large');
    expect(world.log).toEqual([]);
  });

  it('unloads before it loads where the two models do not fit together', async () => {
    const world = new FakeWorld([LARGE, MEDIUM]);
    world.othersBytes = 6 * GIB;
    world.place('medium');
    const report = await run(world);
    expect(world.log).toEqual(['unload mai/medium', 'load large']);
    expect(report).toMatchObject({ outcome: 'switched', instanceIdentifier: 'mai/large' });
    expect(report.unloaded.map((one) => one.modelKey)).toEqual(['medium']);
  });

  it('loads before it unloads where both models fit', async () => {
    const world = new FakeWorld([MEDIUM, SMALL]);
    world.place('small');
    await run(world);
    expect(world.log).toEqual(['load medium', 'unload mai/small']);
  });

  it('leaves yielded memory free', async () => {
    const world = new FakeWorld([LARGE, MEDIUM, SMALL]);
    const one: Yield = {
      name: 'render',
      bytes: 10 * GIB,
      pools: 'ram',
      sinceMs: world.clock.nowMs(),
      untilMs: null,
      processId: null,
    };
    // Limit 25.6 of 32 GiB. The others use 6, the yield holds 10: 18 more do not fit, 8 more fit.
    const report = await run(world, {}, { yields: [one] });
    expect(report).toMatchObject({ outcome: 'switched', instanceIdentifier: 'mai/medium' });
    expect(world.log).toEqual(['load medium']);
  });

  it('steps down when the others need the memory', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.place('large');
    world.othersBytes = 14 * GIB;
    const report = await run(world);
    expect(report).toMatchObject({ outcome: 'switched', instanceIdentifier: 'mai/small' });
    expect(world.residentKeys()).toEqual(['small']);
  });

  it('steps down to the last candidate above the limit, where the two models do not fit together', async () => {
    const world = new FakeWorld([LARGE, MEDIUM, SMALL]);
    world.place('large');
    // 23 + 4 GiB of 32 are 84 %: over the limit of 80 % and under the hard limit of 92 %.
    world.othersBytes = 23 * GIB;
    const report = await run(world);
    expect(world.log).toEqual(['unload mai/large', 'load small']);
    expect(report).toMatchObject({ outcome: 'switched', instanceIdentifier: 'mai/small' });
  });

  it('reports that nothing fits', async () => {
    const world = new FakeWorld([LARGE, MEDIUM]);
    world.othersBytes = 24 * GIB;
    const report = await run(world);
    expect(report).toMatchObject({ outcome: 'nothing-fits', instanceIdentifier: null });
    expect(world.log).toEqual([]);
  });

  describe('when a load fails', () => {
    it('goes on to the next candidate and reports the failure', async () => {
      const world = new FakeWorld([LARGE, MEDIUM, SMALL]);
      world.failNextLoad('large', { kind: 'reject', code: 'LOAD_FAILED' });
      world.failNextLoad('medium', { kind: 'reject', code: 'LOAD_TIMED_OUT' });
      const report = await run(world);
      expect(report).toMatchObject({ outcome: 'switched', instanceIdentifier: 'mai/small' });
      expect(report.failures.map(({ modelKey, code }) => [modelKey, code])).toEqual([
        ['large', 'LOAD_FAILED'],
        ['medium', 'LOAD_TIMED_OUT'],
      ]);
    });

    it('tries the next load option of the same model after a refusal', async () => {
      const world = new FakeWorld([{ ...LARGE, kvBytes: 4 * GIB }, SMALL]);
      world.failNextLoad('large', { kind: 'reject', code: 'LOAD_REFUSED' });
      const report = await run(world);
      expect(report).toMatchObject({ outcome: 'switched', instanceIdentifier: 'mai/large' });
      expect(report.loaded[0]?.contextLengthTokens).toBe(4096);
      expect(world.log).toEqual(['load large', 'load large']);
    });

    it('loads the old model again', async () => {
      const world = new FakeWorld([LARGE, MEDIUM]);
      world.place('medium');
      world.failNextLoad('large', { kind: 'reject', code: 'LOAD_FAILED' });
      const report = await run(world);
      expect(report).toMatchObject({
        outcome: 'rolled-back',
        instanceIdentifier: 'mai/medium',
        unloaded: [],
        loaded: [],
      });
      expect(report.restored.map((one) => one.modelKey)).toEqual(['medium']);
      expect(world.residentKeys()).toEqual(['medium']);
    });

    it('loads a model outside of the chain again, with its configuration', async () => {
      const world = new FakeWorld([LARGE]);
      world.models.set('other', { modelKey: 'other', bytes: 8 * GIB });
      world.place('other', { ttlMs: 600_000 });
      world.failNextLoad('large', { kind: 'reject', code: 'LOAD_FAILED' });
      const report = await run(world);
      expect(report.outcome).toBe('rolled-back');
      expect(world.log).toEqual(['unload mai/other', 'load large', 'load other']);
      expect(world.instances.get('mai/other')).toMatchObject({
        contextLengthTokens: 8192,
        ttlMs: 600_000,
      });
      expect(types(report.events)).toContain('rolling-back');
    });

    it('loads an unloaded model again that fits beside the loaded one', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      world.models.set('other', { modelKey: 'other', bytes: 8 * GIB });
      world.place('other');
      world.failNextLoad('large', { kind: 'reject', code: 'LOAD_FAILED' });
      const report = await run(world);
      expect(world.log).toEqual(['unload mai/other', 'load large', 'load small', 'load other']);
      expect(report).toMatchObject({ outcome: 'switched', instanceIdentifier: 'mai/small' });
      expect(report.restored.map((one) => one.modelKey)).toEqual(['other']);
      expect(report.unloaded).toEqual([]);
    });

    it('reports that the old model could not be loaded again either', async () => {
      const world = new FakeWorld([LARGE]);
      world.models.set('other', { modelKey: 'other', bytes: 8 * GIB });
      world.place('other');
      world.failNextLoad('large', { kind: 'reject', code: 'LOAD_FAILED' });
      world.failNextLoad('other', { kind: 'reject', code: 'LOAD_FAILED' });
      const report = await run(world);
      expect(report).toMatchObject({ outcome: 'failed', instanceIdentifier: null, restored: [] });
      expect(report.failures.map((failure) => failure.modelKey)).toEqual(['large', 'other']);
      expect(report.unloaded.map((one) => one.modelKey)).toEqual(['other']);
    });
  });

  describe('after a load', () => {
    it('accepts a shorter context than requested if it is long enough', async () => {
      const world = new FakeWorld([SMALL]);
      world.failNextLoad('small', { kind: 'context', contextLengthTokens: 6000 });
      const report = await run(world, {
        requirement: { capabilities: [], minContextLengthTokens: 6000, tiers: null },
      });
      expect(report.outcome).toBe('switched');
      expect(report.events.find((event) => event.type === 'loaded')).toMatchObject({
        mismatches: [{ field: 'contextLengthTokens', asked: 8192, got: 6000 }],
      });
    });

    it('unloads a model whose context is too short, and tries the next', async () => {
      const world = new FakeWorld([MEDIUM, SMALL]);
      world.failNextLoad('medium', { kind: 'context', contextLengthTokens: 5999 });
      const report = await run(world, {
        requirement: { capabilities: [], minContextLengthTokens: 6000, tiers: null },
      });
      expect(report.failures.map((failure) => failure.code)).toEqual(['CONTEXT_TOO_SMALL']);
      expect(world.log).toEqual(['load medium', 'unload mai/medium', 'load small']);
    });

    it('unloads a model whose context is too short to be useful, though the request requires none', async () => {
      const world = new FakeWorld([MEDIUM, SMALL]);
      world.failNextLoad('medium', { kind: 'context', contextLengthTokens: 4095 });
      const report = await run(world);
      expect(report.failures.map((failure) => failure.code)).toEqual(['CONTEXT_TOO_SMALL']);
      expect(world.residentKeys()).toEqual(['small']);
    });

    it('reports out-of-memory failures apart from other failures of the engine', async () => {
      const world = new FakeWorld([MEDIUM, SMALL]);
      const { ports } = world;
      const noRoom = Object.assign(new Error('unable to allocate CPU buffer'), {
        code: 'LOAD_FAILED',
        outOfMemory: true,
      });
      const report = await world.clock.drive(
        runOnce({
          ...ports,
          runtime: {
            ...ports.runtime,
            load: (request) =>
              request.modelKey === 'medium' ? Promise.reject(noRoom) : ports.runtime.load(request),
          },
        }),
      );
      expect(report.failures.map((failure) => failure.code)).toEqual(['OUT_OF_MEMORY']);
      expect(world.residentKeys()).toEqual(['small']);
    });

    it('unloads a model that took memory over the hard limit, and tries the next', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const { ports } = world;
      const report = await world.clock.drive(
        runOnce({
          ...ports,
          runtime: {
            ...ports.runtime,
            load: async (request) => {
              const result = await ports.runtime.load(request);
              // A browser was started during the load.
              world.othersBytes = 14 * GIB;
              return result;
            },
          },
        }),
      );
      expect(report.failures.map((failure) => failure.code)).toEqual(['MEMORY_EXCEEDED']);
      expect(world.log).toEqual(['load large', 'unload mai/large', 'load small']);
    });
  });

  describe('with busy instances', () => {
    it('waits until the instances are idle', async () => {
      const world = new FakeWorld([LARGE, MEDIUM]);
      world.place('medium', { activity: 'generating' });
      const running = runOnce(world.ports, {}, { drainDeadlineMs: 30_000 });
      await world.clock.advance(10_000);
      expect(world.log).toEqual([]);
      world.setActivity('mai/medium', 'idle');
      const report = await world.clock.drive(running);
      expect(report.outcome).toBe('switched');
      expect(world.log).toEqual(['unload mai/medium', 'load large']);
    });

    it('puts the switch off at the drain deadline and leaves everything as it was', async () => {
      const world = new FakeWorld([LARGE, MEDIUM]);
      world.place('medium', { activity: 'generating' });
      const startedMs = world.clock.monotonicMs();
      const report = await run(world, {}, { drainDeadlineMs: 5000 });
      expect(report).toMatchObject({
        outcome: 'put-off',
        busy: ['mai/medium'],
        instanceIdentifier: 'mai/medium',
      });
      expect(world.log).toEqual([]);
      expect(world.clock.monotonicMs() - startedMs).toBe(5000);
    });

    it('unloads the instances at the deadline with `force`, and reports that', async () => {
      const world = new FakeWorld([LARGE, MEDIUM]);
      world.place('medium', { activity: 'generating' });
      const report = await run(world, {}, { drainDeadlineMs: 5000, force: true });
      expect(report).toMatchObject({ outcome: 'switched', forced: ['mai/medium'] });
      expect(world.residentKeys()).toEqual(['large']);
    });

    it('reads the activity again immediately before the unload', async () => {
      const world = new FakeWorld([LARGE, MEDIUM]);
      world.place('medium');
      const report = await world.clock.drive(
        runOnce(
          world.ports,
          {},
          {
            drainDeadlineMs: 1000,
            onEvent: (event) => {
              // A request arrives right after the decision.
              if (event.type === 'decided') world.setActivity('mai/medium', 'generating');
            },
          },
        ),
      );
      expect(report.outcome).toBe('put-off');
      expect(world.residentKeys()).toEqual(['medium']);
    });

    it('ends without a put-off where the first unload has freed enough for a busy instance to stay', async () => {
      const world = new FakeWorld([LARGE, MEDIUM, SMALL]);
      world.place('medium');
      world.place('small');
      const report = await world.clock.drive(
        runOnce(
          world.ports,
          {},
          {
            drainDeadlineMs: 1000,
            onEvent: (event) => {
              if (event.type !== 'unloaded') return;
              // Neither the large nor the medium model fits any more, and a request arrives on the small one.
              world.othersBytes = 18 * GIB;
              world.setActivity('mai/small', 'generating');
            },
          },
        ),
      );
      expect(report).toMatchObject({ outcome: 'switched', busy: [], forced: [] });
      expect(report.unloaded.map((one) => one.modelKey)).toEqual(['medium']);
      expect(world.log).toEqual(['unload mai/medium']);
    });

    it('counts a leased instance as busy even where the runtime reports it as idle', async () => {
      const world = new FakeWorld([LARGE, MEDIUM]);
      world.place('medium');
      const report = await run(world, { leased: ['mai/medium'] }, { drainDeadlineMs: 1000 });
      expect(report.outcome).toBe('put-off');
    });
  });

  it.each([
    ['pinned', {}, { pinned: ['medium'] }],
    ['foreign', { instanceIdentifier: 'by-hand' }, {}],
  ])('never unloads a resident that is %s', async (_, change, request) => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.models.set('medium', MEDIUM);
    world.place('medium', change);
    await run(world, request);
    expect(world.residentKeys()).toContain('medium');
    expect(world.log.filter((entry) => entry.startsWith('unload'))).toEqual([]);
  });

  describe('cancelled', () => {
    const reason = new Error('enough');

    it('during a load, leaves no instance and no timer', async () => {
      const world = new FakeWorld([LARGE]);
      const controller = new AbortController();
      const running = runOnce(world.ports, {}, { signal: controller.signal });
      const rejected = expect(running).rejects.toBe(reason);
      await world.clock.advance(1000);
      expect(world.loading).toBe(1);
      controller.abort(reason);
      await rejected;
      expect(world.residentKeys()).toEqual([]);
      expect(world.clock.pending).toBe(0);
    });

    it('at the moment when a load succeeds, unloads the model again', async () => {
      const world = new FakeWorld([LARGE]);
      const { ports } = world;
      const controller = new AbortController();
      const running = runOnce(
        {
          ...ports,
          runtime: {
            ...ports.runtime,
            load: async (request) => {
              const result = await ports.runtime.load(request);
              controller.abort(reason);
              return result;
            },
          },
        },
        {},
        { signal: controller.signal },
      );
      const rejected = expect(running).rejects.toBe(reason);
      await world.clock.advance(5000);
      await rejected;
      expect(world.residentKeys()).toEqual([]);
    });

    it('during a wait for a busy instance, leaves every model as it was', async () => {
      const world = new FakeWorld([LARGE, MEDIUM]);
      world.place('medium', { activity: 'generating' });
      const controller = new AbortController();
      const running = runOnce(world.ports, {}, { signal: controller.signal });
      const rejected = expect(running).rejects.toBe(reason);
      await world.clock.advance(2000);
      controller.abort(reason);
      await rejected;
      expect(world.residentKeys()).toEqual(['medium']);
      expect(world.clock.pending).toBe(0);
    });
  });

  it('throws an error unchanged when it is not about a model', async () => {
    const world = new FakeWorld([LARGE]);
    world.down = 'UNREACHABLE';
    await expect(world.clock.drive(runOnce(world.ports))).rejects.toMatchObject({
      code: 'UNREACHABLE',
    });
  });

  it('unloads an instance that a failed load left behind', async () => {
    const world = new FakeWorld([LARGE]);
    const { ports } = world;
    const report = await world.clock.drive(
      runOnce({
        ...ports,
        runtime: {
          ...ports.runtime,
          load: async (request) => {
            world.place('large', { instanceIdentifier: request.identifier });
            throw codedError('LOAD_TIMED_OUT', 'too slow');
          },
        },
      }),
    );
    expect(report.outcome).toBe('failed');
    expect(world.residentKeys()).toEqual([]);
  });

  it('reads the policy of the catalog', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.policy = { ...DEFAULT_SELECTION_POLICY, memoryLimitRatio: 0.5 };
    const report = await run(world);
    expect(report.instanceIdentifier).toBe('mai/small');
  });
});
