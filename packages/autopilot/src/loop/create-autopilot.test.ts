import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { FakeWorld, GIB, profile } from '../../test/fake-world.js';
import { startPilot } from '../../test/pilot.js';
import { CHAT, LARGE, MINUTE, SECOND, SMALL } from '../../test/samples.js';
import type { LogRecord } from '../decision-log/decision-record.js';
import { replayDecisions } from '../decision-log/replay-decisions.js';

describe('createAutopilot', () => {
  it('loads the best model that fits at once, and unloads it at the stop', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    expect(world.residentKeys()).toEqual(['large']);
    expect(pilot.of('switch-started').map((event) => event.reason)).toEqual(['NOTHING_RESIDENT']);
    await pilot.stop();
    expect(world.residentKeys()).toEqual([]);
    expect(pilot.events.at(-1)?.type).toBe('stopped');
    expect(pilot.autopilot.state.status).toBe('stopped');
  });

  it('loads the last candidate over the limit after all models had been unloaded for lack of memory', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    world.othersBytes = 27 * GIB;
    await world.clock.advance(3 * MINUTE);
    expect(world.residentKeys()).toEqual([]);
    // 23 + 4 GiB of 32 are 84 %: over the limit, under the hard limit.
    world.othersBytes = 23 * GIB;
    await world.clock.advance(MINUTE);
    expect(world.residentKeys()).toEqual(['small']);
    await world.clock.advance(10 * MINUTE);
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });

  it('steps up again from a smaller KV cache, which it had chosen for lack of memory', async () => {
    // With 4,096 tokens 12 GiB, and 8.5 GiB with the cache in q8_0. Limit 25.6 of 32 GiB.
    const model = { modelKey: 'large', bytes: 20 * GIB, kvBytes: 16 * GIB };
    const world = new FakeWorld([model]);
    world.chain = [profile(model, { contextLengthTokens: 4096, maxContextLengthTokens: 4096 })];
    const cacheTypes = () =>
      [...world.instances.values()].map((one) => one.loadConfig.kvCacheTypeK);
    world.othersBytes = 15 * GIB;
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    expect(cacheTypes()).toEqual(['q8_0']);
    world.othersBytes = 2 * GIB;
    await world.clock.advance(30 * MINUTE);
    expect(cacheTypes()).toEqual([null]);
    await world.clock.advance(2 * 60 * MINUTE);
    expect(world.log.filter((line) => line.startsWith('load'))).toHaveLength(2);
    await pilot.stop();
  });

  it('loads no model above the limit at the start', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.othersBytes = 23 * GIB;
    const pilot = await startPilot(world);
    await world.clock.advance(10 * MINUTE);
    expect(world.log).toEqual([]);
    await pilot.stop();
  });

  it('unloads nothing at the stop where `unloadAtStop` is false', async () => {
    const world = new FakeWorld([SMALL]);
    const pilot = await startPilot(world, { unloadAtStop: false });
    await world.clock.advance(5 * SECOND);
    await pilot.stop();
    expect(world.residentKeys()).toEqual(['small']);
    expect(pilot.of('left-loaded')).toEqual([]);
  });

  it('unloads nothing at the stop once another process has taken the lock over', async () => {
    const world = new FakeWorld([SMALL]);
    const taken = new AbortController();
    const pilot = await startPilot(world, {
      lock: async () => ({ lost: taken.signal, release: async () => undefined }),
    });
    await world.clock.advance(5 * SECOND);
    taken.abort();
    await world.clock.advance(5 * SECOND);
    expect(pilot.autopilot.state.status).toBe('stopped');
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });

  it('stops also where the lock cannot be released, and tells its readers', async () => {
    const world = new FakeWorld([SMALL]);
    const failure = new Error('EIO');
    const pilot = await startPilot(world, {
      lock: async () => ({
        lost: new AbortController().signal,
        release: () => Promise.reject(failure),
      }),
    });
    await world.clock.advance(5 * SECOND);
    await pilot.stop();
    expect(pilot.of('fault').map(({ error }) => error)).toEqual([failure]);
    expect(pilot.events.at(-1)?.type).toBe('stopped');
    expect(pilot.autopilot.state.status).toBe('stopped');
  });

  it('reloads the same model with a better load option only after the reload was due for ten minutes', async () => {
    const world = new FakeWorld([{ ...LARGE, kvBytes: 4 * GIB }]);
    world.othersBytes = 10 * GIB;
    const pilot = await startPilot(world);
    const context = () => world.instances.get('mai/large')?.contextLengthTokens;
    await world.clock.advance(20 * MINUTE);
    expect(context()).toBe(4096);
    world.othersBytes = 4 * GIB;
    await world.clock.advance(9 * MINUTE);
    expect(context()).toBe(4096);
    await world.clock.advance(30 * MINUTE);
    expect(context()).toBe(8192);
    await pilot.stop();
  });

  it('does nothing as long as nothing changes', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(60 * MINUTE);
    expect(world.log).toEqual(['load large']);
    await pilot.stop();
  });

  it('steps down once pressure has lasted for the dwell time, and up once the pressure is gone', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    world.othersBytes = 12 * GIB;
    await world.clock.advance(19 * SECOND);
    expect(world.residentKeys()).toEqual(['large']);
    await world.clock.advance(10 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    world.othersBytes = 6 * GIB;
    await world.clock.advance(50 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    await world.clock.advance(30 * MINUTE);
    expect(world.residentKeys()).toEqual(['large']);
    expect(pilot.of('switch-finished').map((event) => event.reason)).toEqual([
      'NOTHING_RESIDENT',
      'DWELL_OVER',
      'DWELL_OVER',
    ]);
    await pilot.stop();
  });

  it('does not react to a spike that is shorter than the dwell time', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    for (let spike = 0; spike < 10; spike += 1) {
      world.othersBytes = 12 * GIB;
      await world.clock.advance(15 * SECOND);
      world.othersBytes = 6 * GIB;
      await world.clock.advance(15 * SECOND);
    }
    expect(world.log).toEqual(['load large']);
    await pilot.stop();
  });

  it('does not wait when memory is about to run out', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(10 * SECOND);
    world.othersBytes = 15 * GIB;
    await world.clock.advance(3 * SECOND);
    expect(pilot.of('switch-started').at(-1)?.reason).toBe('EMERGENCY');
    await world.clock.advance(5 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });

  it('on a ramp, loads a model that still fits at the end of the ramp, and a replay gives the same decisions', async () => {
    const MEDIUM = { modelKey: 'medium', bytes: 12 * GIB };
    const world = new FakeWorld([LARGE, MEDIUM, SMALL]);
    const lines: string[] = [];
    const pilot = await startPilot(world, {
      decisionLog: {
        write: (record) => lines.push(JSON.stringify(record)),
        flushed: () => Promise.resolve(),
      },
    });
    await world.clock.advance(2 * MINUTE);
    for (let second = 0; second < 35; second += 1) {
      world.othersBytes += 0.4 * GIB;
      await world.clock.advance(SECOND);
    }
    await world.clock.advance(30 * SECOND);
    expect(pilot.of('switch-started').map(({ reason }) => reason)).toContain('FORECAST');
    expect(world.log.filter((line) => line.startsWith('load'))).toEqual([
      'load large',
      'load small',
    ]);
    const replay = await replayDecisions(lines);
    expect(replay).toMatchObject({ difference: null, unreadable: [] });
    expect(replay.reproduced).toBeGreaterThan(3);
    await pilot.stop();
  });

  it('logs how long a switch took, and the available RAM before and after it', async () => {
    const world = new FakeWorld([{ ...LARGE, loadMs: 7 * SECOND }]);
    const records: LogRecord[] = [];
    const pilot = await startPilot(world, {
      decisionLog: {
        write: (record) => records.push(record),
        flushed: () => Promise.resolve(),
      },
    });
    await world.clock.advance(20 * SECOND);
    const [outcome] = records.filter((record) => record.type === 'outcome');
    expect(outcome).toMatchObject({
      reason: 'NOTHING_RESIDENT',
      outcome: 'switched',
      loaded: ['large'],
      availableBytes: { before: 26 * GIB, after: 10 * GIB },
    });
    // The load time, and the time until memory settles.
    expect(outcome?.tookMs).toBeGreaterThanOrEqual(7 * SECOND);
    expect(outcome?.tookMs).toBeLessThan(12 * SECOND);
    await pilot.stop();
  });

  it('acts on a forecast before the limit is reached', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.policy = { ...DEFAULT_SELECTION_POLICY, dwellMs: 10 * MINUTE };
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    for (let second = 0; second < 60 && world.residentKeys().includes('large'); second += 1) {
      world.othersBytes += 0.4 * GIB;
      await world.clock.advance(SECOND);
    }
    expect(pilot.of('switch-started').at(-1)?.reason).toBe('FORECAST');
    expect(pilot.of('emergency')).toEqual([]);
    await pilot.stop();
  });

  it('does not reload a model again and again because its context was shortened', async () => {
    const world = new FakeWorld([SMALL]);
    world.failNextLoad('small', { kind: 'context', contextLengthTokens: 6000 });
    const pilot = await startPilot(world);
    await world.clock.advance(10 * MINUTE);
    expect(world.log).toEqual(['load small']);
    await pilot.stop();
  });

  it('applies a new configuration while it runs', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    world.chain = world.chain.slice(1);
    await world.clock.advance(2 * MINUTE);
    expect(world.residentKeys()).toContain('small');
    await pilot.stop();
  });

  it('decides, but loads and unloads nothing in a dry run', async () => {
    const world = new FakeWorld([LARGE]);
    const pilot = await startPilot(world, { dryRun: true });
    await world.clock.advance(MINUTE);
    expect(pilot.of('decided').length).toBeGreaterThan(50);
    expect(world.log).toEqual([]);
    await pilot.stop();
  });

  it('does not begin a switch while the clock jumps or the machine sleeps', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    world.clock.jumpWallClock(-24 * 60 * MINUTE);
    await world.clock.advance(MINUTE);
    world.clock.jumpWallClock(48 * 60 * MINUTE);
    await world.clock.advance(MINUTE);
    expect(world.log).toEqual(['load large']);
    await pilot.stop();
  });

  it('evicts a foreign instance that has been idle for long enough, if the policy allows it', async () => {
    const world = new FakeWorld([LARGE]);
    world.models.set('theirs', { modelKey: 'theirs', bytes: 8 * GIB });
    world.policy = { ...DEFAULT_SELECTION_POLICY, foreign: 'evict-idle' };
    const lastUsedAtMs = world.clock.nowMs();
    world.place('theirs', { instanceIdentifier: 'theirs', lastUsedAtMs });
    const pilot = await startPilot(world);
    await world.clock.advance(9 * MINUTE);
    expect(world.log).toEqual([]);
    await world.clock.advance(3 * MINUTE);
    expect(world.log).toEqual(['unload theirs', 'load large']);
    await pilot.stop();
  });

  it('counts a load as failed, and does not abort it, if a pool is over the hard limit only after the load', async () => {
    const world = new FakeWorld([{ ...LARGE, loadMs: 10 * SECOND }, SMALL]);
    const { ports } = world;
    const pilot = await startPilot(world, {
      monitor: {
        ...ports.monitor,
        settled: async () => {
          world.othersBytes = 14 * GIB;
          await world.clock.sleep(5 * SECOND, { signal: null });
          return world.resources();
        },
      },
    });
    await world.clock.advance(2 * MINUTE);
    expect(pilot.of('load-interrupted')).toEqual([]);
    expect(pilot.of('switch-finished')[0]?.report.failures).toMatchObject([
      { modelKey: 'large', code: 'MEMORY_EXCEEDED' },
    ]);
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });

  describe('idle: release', () => {
    it('leaves no model loaded after the idle time, and loads again at the next `acquire`', async () => {
      const world = new FakeWorld([SMALL]);
      const pilot = await startPilot(world, { idle: 'release' });
      await world.clock.advance(10 * SECOND);
      expect(world.residentKeys()).toEqual(['small']);
      world.instances.clear();
      await world.clock.advance(10 * MINUTE);
      expect(world.residentKeys()).toEqual([]);
      expect(pilot.of('idle')).toHaveLength(1);
      expect(pilot.autopilot.state.idle).toBe(true);
      const acquiring = pilot.autopilot.acquire(CHAT);
      await world.clock.advance(5 * SECOND);
      const { lease } = await acquiring;
      expect(lease?.modelKey).toBe('small');
      lease?.release();
      await pilot.stop();
      expect(world.residentKeys()).toEqual(['small']);
    });
  });

  it('reports only once that a model is loaded twice', async () => {
    const world = new FakeWorld([SMALL]);
    world.place('small', { instanceIdentifier: 'small' });
    world.place('small', { instanceIdentifier: 'small:2' });
    const pilot = await startPilot(world);
    await world.clock.advance(MINUTE);
    expect(pilot.of('duplicates').map((event) => event.instanceIdentifiers)).toEqual([
      ['small', 'small:2'],
    ]);
    await pilot.stop();
  });

  it('adopts the instances that an earlier autopilot left loaded', async () => {
    const world = new FakeWorld([SMALL]);
    world.place('small');
    const pilot = await startPilot(world);
    await world.clock.advance(MINUTE);
    expect(world.log).toEqual([]);
    await pilot.stop();
    expect(world.residentKeys()).toEqual([]);
  });

  it('can be started again after a stop, and a second stop does nothing', async () => {
    const world = new FakeWorld([SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    await pilot.stop();
    await pilot.autopilot.stop();
    await world.clock.drive(pilot.autopilot.start());
    await world.clock.advance(5 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });
});
