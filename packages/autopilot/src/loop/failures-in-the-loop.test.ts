import { FakeWorld, GIB, profile } from '../../test/fake-world.js';
import { startPilot } from '../../test/pilot.js';
import { CHAT, LARGE, MINUTE, SECOND, SMALL } from '../../test/samples.js';
import { createMemoryJournal } from '../journal/journal-port.js';
import { EMPTY_JOURNAL } from '../journal/journal-state.js';
import type { EndedResident } from '../ports/runtime-port.js';
import type { AutopilotOptions } from '../autopilot-options.js';

describe('failures', () => {
  it('goes on to the next candidate and comes back to the first after the cool-down', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.failNextLoad('large', { kind: 'reject', code: 'LOAD_FAILED' });
    const pilot = await startPilot(world);
    await world.clock.advance(30 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    expect(pilot.autopilot.state.failures['large']?.failures).toBe(1);
    await world.clock.advance(5 * MINUTE);
    expect(world.residentKeys()).toEqual(['large']);
    expect(pilot.autopilot.state.failures).toEqual({});
    await pilot.stop();
  });

  it('counts an engine that crashes while it loads as a failed load of this model', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.failNextLoad('large', { kind: 'reject', code: 'ENGINE_CRASHED' });
    const pilot = await startPilot(world);
    await world.clock.advance(30 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    expect(pilot.of('fault')).toEqual([]);
    await pilot.stop();
  });

  it('does not retry a load that would fail for the same reason', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    for (let time = 0; time < 50; time += 1) {
      world.failNextLoad('large', { kind: 'reject', code: 'LOAD_REFUSED' });
    }
    const pilot = await startPilot(world);
    await world.clock.advance(60 * MINUTE);
    expect(world.log.filter((entry) => entry === 'load large')).toHaveLength(1);
    await pilot.stop();
  });

  it('forgets the failures of a model when its file changes, also after a restart', async () => {
    const world = new FakeWorld([SMALL]);
    const large = (fileStamp: string) => profile(LARGE, { fileStamp });
    world.models.set('large', LARGE);
    world.chain.unshift(large('first'));
    const journal = createMemoryJournal(EMPTY_JOURNAL);
    for (let time = 0; time < 2; time += 1)
      world.failNextLoad('large', { kind: 'reject', code: 'LOAD_REFUSED' });
    const first = await startPilot(world, { journal });
    await world.clock.advance(10 * MINUTE);
    expect(world.log).toEqual(['load large', 'load small']);
    world.chain[0] = large('second');
    await world.clock.advance(10 * SECOND);
    expect(first.autopilot.state.failures).toEqual({});
    await world.clock.advance(2 * MINUTE);
    expect(world.log.filter((entry) => entry === 'load large')).toHaveLength(2);
    await first.stop();
    const second = await startPilot(world, { journal });
    await world.clock.advance(10 * MINUTE);
    expect(world.residentKeys()).toEqual(['small']);
    world.chain[0] = large('third');
    await world.clock.advance(2 * MINUTE);
    expect(world.residentKeys()).toEqual(['large']);
    await second.stop();
  });

  it('stops loading for a while, and reports that, when every load fails', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    for (const { modelKey } of [LARGE, SMALL]) {
      for (let time = 0; time < 50; time += 1) {
        world.failNextLoad(modelKey, { kind: 'reject', code: 'LOAD_FAILED' });
      }
    }
    const pilot = await startPilot(world);
    await world.clock.advance(10 * MINUTE);
    expect(pilot.of('breaker-opened').length).toBeGreaterThanOrEqual(1);
    expect(pilot.autopilot.state.breakerOpenUntilMs).toBeGreaterThan(world.clock.nowMs());
    expect(world.log.length).toBeLessThan(10);
    await pilot.stop();
  });

  // lmstudio-bug-tracker #1631: guardrails refused a load with each of its settings.
  it('holds no other model back where the runtime refuses models', async () => {
    const refused = ['a', 'b', 'c', 'd', 'e', 'f'].map((modelKey) => ({ ...LARGE, modelKey }));
    const world = new FakeWorld([...refused, SMALL]);
    for (const { modelKey } of refused)
      world.failNextLoad(modelKey, { kind: 'reject', code: 'LOAD_REFUSED' });
    const pilot = await startPilot(world);
    await world.clock.advance(MINUTE);
    expect(world.log.filter((entry) => entry.startsWith('load '))).toHaveLength(7);
    expect(pilot.of('breaker-opened')).toEqual([]);
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });

  it('remembers failures over a restart', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const journal = createMemoryJournal(EMPTY_JOURNAL);
    world.failNextLoad('large', { kind: 'reject', code: 'LOAD_FAILED' });
    const first = await startPilot(world, { journal });
    await world.clock.advance(10 * SECOND);
    await first.stop();
    const second = await startPilot(world, { journal });
    await world.clock.advance(20 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    await second.stop();
  });

  it('survives a runtime that goes away and comes back', async () => {
    const world = new FakeWorld([SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    world.down = 'UNREACHABLE';
    world.instances.clear();
    await world.clock.advance(5 * MINUTE);
    expect(pilot.autopilot.state.fault).toMatchObject({ code: 'UNREACHABLE' });
    expect(pilot.of('fault').length).toBeLessThan(30);
    world.down = null;
    await world.clock.advance(MINUTE);
    expect(pilot.of('recovered')).toHaveLength(1);
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });

  it('tells waiting callers after some seconds that the runtime is away, and later ones at once', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    world.down = 'UNREACHABLE';
    world.instances.clear();
    const told: unknown[] = [];
    const ask = (): void => {
      const caller = pilot.autopilot.acquire({ ...CHAT, modelKey: 'small' });
      caller.catch((error: unknown) => told.push(error));
    };
    ask();
    // A runtime that restarts answers again within this time.
    await world.clock.advance(1900);
    expect(told).toEqual([]);
    await world.clock.advance(3 * SECOND);
    expect(told).toMatchObject([{ code: 'UNREACHABLE' }]);
    ask();
    await world.clock.advance(1);
    expect(told).toHaveLength(2);
    expect(pilot.autopilot.state.waiting).toBe(0);
    world.down = null;
    const served = pilot.autopilot.acquire({ ...CHAT, modelKey: 'small' });
    await world.clock.advance(10 * SECOND);
    expect((await served).lease?.modelKey).toBe('small');
    await pilot.stop();
  });

  it('stops without an error while the runtime is away', async () => {
    const world = new FakeWorld([SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    world.down = 'UNREACHABLE';
    await pilot.stop();
  });

  it('aborts a load during which memory runs out', async () => {
    const world = new FakeWorld([{ ...LARGE, loadMs: 20 * SECOND }, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    expect(world.loading).toBe(1);
    world.othersBytes = 30 * GIB;
    await world.clock.advance(3 * SECOND);
    expect(world.loading).toBe(0);
    expect(pilot.of('load-interrupted')).toMatchObject([{ modelKey: 'large' }]);
    world.othersBytes = 16 * GIB;
    await world.clock.advance(10 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });

  it('tries an aborted load again soon after the others have given their memory back', async () => {
    const world = new FakeWorld([{ ...LARGE, loadMs: 20 * SECOND }, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    world.othersBytes = 30 * GIB;
    await world.clock.advance(3 * SECOND);
    expect(pilot.of('load-interrupted')).toHaveLength(1);
    world.othersBytes = 16 * GIB;
    await world.clock.advance(10 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    // As much as before the load, less the small model that is loaded now.
    world.othersBytes = 6 * GIB;
    await world.clock.advance(3 * MINUTE);
    expect(world.residentKeys()).toEqual(['large']);
    await pilot.stop();
  });

  it('keeps the last valid configuration', async () => {
    const world = new FakeWorld([LARGE]);
    let broken = false;
    const { ports } = world;
    const pilot = await startPilot(world, {
      catalog: {
        read: async (options) => {
          if (broken) throw new Error('line 3: unknown key');
          return ports.catalog.read(options);
        },
      },
    });
    await world.clock.advance(5 * SECOND);
    broken = true;
    await world.clock.advance(10 * SECOND);
    expect(pilot.of('catalog-rejected').length).toBeGreaterThanOrEqual(1);
    expect(pilot.of('fault')).toEqual([]);
    expect(pilot.autopilot.state.decision?.selection.chosen?.modelKey).toBe('large');
    await pilot.stop();
  });
});

describe('an engine that ends without an unload', () => {
  /** An autopilot whose runtime tells the end of an engine. */
  async function open(
    options: Partial<AutopilotOptions> = {},
    others: readonly (typeof SMALL)[] = [],
  ) {
    // So small that its end alone does not change the memory enough for a new list of residents.
    const world = new FakeWorld([{ ...LARGE, bytes: GIB / 4, kvBytes: 0 }, ...others]);
    const listeners = new Set<(ended: EndedResident) => void>();
    const { runtime } = world.ports;
    const pilot = await startPilot(world, {
      ...options,
      runtime: {
        ...runtime,
        onEnded: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
    });
    /** Ends the engine of a model. */
    const crash = (modelKey: string, crashed = true): void => {
      const instanceIdentifier = `mai/${modelKey}`;
      world.instances.delete(instanceIdentifier);
      for (const tell of listeners)
        tell({ instanceIdentifier, modelKey, how: 'signal SIGKILL', crashed });
    };
    await world.clock.advance(MINUTE);
    expect(world.residentKeys()).toEqual(['large']);
    return { world, pilot, crash, listeners };
  }

  it('is published, and its model is loaded again at once', async () => {
    const { world, pilot, crash, listeners } = await open();
    const before = world.log.length;
    crash('large');
    // A tenth of the interval between two rounds.
    await world.clock.advance(100);
    expect(pilot.of('resident-ended')).toMatchObject([
      { instanceIdentifier: 'mai/large', modelKey: 'large', how: 'signal SIGKILL' },
    ]);
    expect(world.log.slice(before)).toEqual(['load large']);
    await world.clock.advance(MINUTE);
    expect(world.residentKeys()).toEqual(['large']);
    await pilot.stop();
    expect(listeners.size).toBe(0);
  });

  it('does not count as an expired idle time', async () => {
    const { world, pilot, crash } = await open({ idle: 'release' });
    crash('large');
    await world.clock.advance(10 * SECOND);
    expect(pilot.of('idle')).toEqual([]);
    expect(world.residentKeys()).toEqual(['large']);
    await pilot.stop();
  });

  it('is noticed where it ends while a round runs', async () => {
    const { world, pilot, crash } = await open();
    // The list of this round is read before the end, and the next round must not use it again.
    await Promise.all([world.clock.advance(SECOND), Promise.resolve().then(() => crash('large'))]);
    await world.clock.advance(3 * SECOND);
    expect(world.residentKeys()).toEqual(['large']);
    await pilot.stop();
  });

  it('twice gives its place to the next candidate until a cool-down is over', async () => {
    const { world, pilot, crash } = await open({}, [SMALL]);
    crash('large');
    await world.clock.advance(10 * SECOND);
    expect(world.residentKeys()).toEqual(['large']);
    expect(pilot.autopilot.state.failures['large']).toMatchObject({
      code: 'ENGINE_CRASHED',
      failures: 1,
    });
    crash('large');
    await world.clock.advance(10 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    expect(pilot.autopilot.state.decision?.selection.rejected).toMatchObject([
      { modelKey: 'large', rejection: { code: 'COOLING_DOWN_AFTER_FAILURE' } },
    ]);
    await world.clock.advance(10 * MINUTE);
    expect(world.residentKeys()).toEqual(['large']);
    await pilot.stop();
  });

  it('is started again after ever longer pauses where it ends after each load', async () => {
    const { world, pilot, crash } = await open();
    for (let second = 0; second < 3600; second += 1) {
      if (world.residentKeys().includes('large')) crash('large');
      await world.clock.advance(SECOND);
    }
    // At once, and then after about 1, 2, 4, 8 and 16 minutes.
    const loads = world.log.filter((entry) => entry === 'load large').length;
    expect(loads).toBeGreaterThanOrEqual(5);
    expect(loads).toBeLessThanOrEqual(9);
    await pilot.stop();
  });

  it('has its earlier ends forgotten after ten stable minutes', async () => {
    const { world, pilot, crash } = await open();
    for (let crashes = 0; crashes < 3; crashes += 1) {
      crash('large');
      await world.clock.advance(10 * SECOND);
      expect(world.residentKeys()).toEqual(['large']);
      await world.clock.advance(11 * MINUTE);
    }
    await pilot.stop();
  });

  it('does not count as a crash where another process has unloaded the model', async () => {
    const { world, pilot, crash } = await open();
    for (let time = 0; time < 3; time += 1) {
      crash('large', false);
      await world.clock.advance(10 * SECOND);
    }
    expect(pilot.autopilot.state.failures).toEqual({});
    await pilot.stop();
  });
});
