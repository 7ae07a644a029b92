import { FakeWorld, GIB, POLICY } from '../../test/fake-world.js';
import { startPilot } from '../../test/pilot.js';
import type { LogRecord } from '../decision-log/decision-record.js';
import { replayDecisions } from '../decision-log/replay-decisions.js';
import { createMemoryJournal, type JournalPort } from '../journal/journal-port.js';
import { EMPTY_JOURNAL } from '../journal/journal-state.js';
import type { CallOptions } from '../ports/call-options.js';

// 32 GiB, 6 of them taken by others: 80 % is 25.6 GiB, so 19.6 GiB are left for models.
const LARGE = { modelKey: 'large', bytes: 16 * GIB };
const SMALL = { modelKey: 'small', bytes: 4 * GIB };
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const CHAT = { capabilities: ['chat'], minContextLengthTokens: null, tiers: null };

describe('createAutopilot', () => {
  it('loads the best that fits at once, and unloads it when it stops', async () => {
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

  it('steps down late where memory had run out for everything', async () => {
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

  it('begins with nothing above the limit', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.othersBytes = 23 * GIB;
    const pilot = await startPilot(world);
    await world.clock.advance(10 * MINUTE);
    expect(world.log).toEqual([]);
    await pilot.stop();
  });

  it('unloads nothing once another Mai has taken over', async () => {
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

  it('loads the same model again in a better way only where that is due for ten minutes', async () => {
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

  it('steps down once pressure has lasted for the dwell time, and up once it is gone', async () => {
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

  it('loads into a ramp what fits at its end, once, and every decision of that replays', async () => {
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
    const replay = replayDecisions(lines);
    expect(replay).toMatchObject({ difference: null, unreadable: [] });
    expect(replay.reproduced).toBeGreaterThan(3);
    await pilot.stop();
  });

  it('logs how long a switch took and what memory did', async () => {
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
    // The load, and a moment in which memory settles.
    expect(outcome?.tookMs).toBeGreaterThanOrEqual(7 * SECOND);
    expect(outcome?.tookMs).toBeLessThan(12 * SECOND);
    await pilot.stop();
  });

  it('acts on a forecast before the limit is reached', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.policy = { ...POLICY, dwellMs: 10 * MINUTE };
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

  describe('between two rounds', () => {
    /** A world whose RAM can be read alone; `reads` counts how often it was. */
    function openGlancing() {
      const world = new FakeWorld([LARGE, SMALL]);
      const glances = { reads: 0, broken: false };
      const glance = async () => {
        glances.reads += 1;
        if (glances.broken) throw new Error('no memory here');
        return world.resources().ram;
      };
      const monitor = { ...world.ports.monitor, glance };
      return { world, glances, start: () => startPilot(world, { monitor }) };
    }

    it('sees at once that a limit is passed, and acts when the dwell is over', async () => {
      const { world, start } = openGlancing();
      const pilot = await start();
      await world.clock.advance(2 * MINUTE);
      const before = pilot.events.length;
      await world.clock.advance(1050);
      world.othersBytes = 12 * GIB;
      const passedMs = world.clock.nowMs();
      await world.clock.advance(POLICY.dwellMs + 5 * SECOND);
      const since = pilot.events.slice(before).filter(({ atMs }) => atMs >= passedMs);
      const dwelling = since.find((one) => one.type === 'decided');
      expect(dwelling).toMatchObject({ verdict: { reason: 'DWELLING' } });
      expect((dwelling?.atMs ?? 0) - passedMs).toBeLessThanOrEqual(150);
      const switching = since.find((one) => one.type === 'switch-started');
      expect((switching?.atMs ?? 0) - (dwelling?.atMs ?? 0)).toBe(POLICY.dwellMs);
      await pilot.stop();
    });

    it('asks for no round while memory stays on its side of the limits', async () => {
      const { world, glances, start } = openGlancing();
      const pilot = await start();
      await world.clock.advance(2 * MINUTE);
      const [rounds, reads] = [pilot.of('decided').length, glances.reads];
      await world.clock.advance(MINUTE);
      expect(pilot.of('decided').length - rounds).toBe(60);
      expect(glances.reads - reads).toBeGreaterThan(60);
      await pilot.stop();
    });

    it('does not look where memory is far from every limit', async () => {
      const { world, glances, start } = openGlancing();
      world.chain.shift();
      const pilot = await start();
      await world.clock.advance(2 * MINUTE);
      glances.reads = 0;
      await world.clock.advance(MINUTE);
      expect(glances.reads).toBe(0);
      await pilot.stop();
    });

    it('leaves trouble with the reading to the round', async () => {
      const { world, glances, start } = openGlancing();
      const pilot = await start();
      await world.clock.advance(2 * MINUTE);
      glances.broken = true;
      const rounds = pilot.of('decided').length;
      await world.clock.advance(10 * SECOND);
      expect(pilot.of('decided').length - rounds).toBe(10);
      expect(pilot.of('fault')).toEqual([]);
      await pilot.stop();
    });
  });

  it('asks less often what is loaded while nothing is about to happen', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    let listed = 0;
    const runtime = {
      ...world.ports.runtime,
      listResidents: (options: CallOptions) => {
        listed += 1;
        return world.ports.runtime.listResidents(options);
      },
    };
    const pilot = await startPilot(world, { runtime });
    await world.clock.advance(2 * MINUTE);
    listed = 0;
    await world.clock.advance(MINUTE);
    expect(listed).toBe(30);
    listed = 0;
    world.othersBytes = 12 * GIB;
    await world.clock.advance(10 * SECOND);
    expect(pilot.of('decided').at(-1)?.verdict.reason).toBe('DWELLING');
    expect(listed).toBeGreaterThanOrEqual(10);
    await pilot.stop();
  });

  describe('with a busy model', () => {
    it('waits, puts the switch off, and switches as soon as it is idle', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const pilot = await startPilot(world);
      await world.clock.advance(2 * MINUTE);
      world.setActivity('mai/large', 'generating');
      world.othersBytes = 12 * GIB;
      await world.clock.advance(90 * SECOND);
      expect(world.residentKeys()).toEqual(['large']);
      expect(pilot.of('put-off').length).toBeGreaterThanOrEqual(1);
      expect(pilot.of('put-off')[0]?.busy).toEqual(['mai/large']);
      world.setActivity('mai/large', 'idle');
      await world.clock.advance(2 * MINUTE);
      expect(world.residentKeys()).toEqual(['small']);
      await pilot.stop();
    });

    it('waits longer after each switch that it has put off, up to five minutes', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const pilot = await startPilot(world);
      await world.clock.advance(2 * MINUTE);
      world.setActivity('mai/large', 'generating');
      world.othersBytes = 12 * GIB;
      await world.clock.advance(60 * MINUTE);
      const waits = pilot.of('put-off').map(({ untilMs, atMs }) => (untilMs - atMs) / SECOND);
      expect(waits.slice(0, 7)).toEqual([15, 30, 60, 120, 240, 300, 300]);
      await pilot.stop();
    });

    it('unloads it only in an emergency that lasts, and says so', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const pilot = await startPilot(world);
      await world.clock.advance(2 * MINUTE);
      world.setActivity('mai/large', 'generating');
      world.othersBytes = 14 * GIB;
      await world.clock.advance(29 * SECOND);
      expect(world.residentKeys()).toEqual(['large']);
      await world.clock.advance(20 * SECOND);
      expect(world.residentKeys()).toEqual(['small']);
      expect(pilot.of('switch-finished').at(-1)?.report.forced).toEqual(['mai/large']);
      await pilot.stop();
    });

    it('says once that memory has passed the hard limit meanwhile', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const pilot = await startPilot(world);
      await world.clock.advance(2 * MINUTE);
      world.setActivity('mai/large', 'generating');
      world.othersBytes = 12 * GIB;
      while (pilot.of('switch-started').length < 2) await world.clock.advance(SECOND);
      world.othersBytes = 14 * GIB;
      await world.clock.advance(10 * SECOND);
      expect(world.residentKeys()).toEqual(['large']);
      expect(pilot.of('emergency').map(({ pools }) => pools)).toEqual([['RAM']]);
      await pilot.stop();
    });

    it('unloads it in an emergency however short the drain deadline is', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const pilot = await startPilot(world, { timings: { drainDeadlineMs: 5 * SECOND } });
      await world.clock.advance(2 * MINUTE);
      world.setActivity('mai/large', 'generating');
      world.othersBytes = 14 * GIB;
      await world.clock.advance(28 * SECOND);
      expect(world.residentKeys()).toEqual(['large']);
      // What is over by itself does not count for the next one.
      world.othersBytes = 6 * GIB;
      await world.clock.advance(5 * SECOND);
      world.othersBytes = 14 * GIB;
      await world.clock.advance(28 * SECOND);
      expect(world.residentKeys()).toEqual(['large']);
      await world.clock.advance(10 * SECOND);
      expect(world.residentKeys()).toEqual(['small']);
      await pilot.stop();
    });

    it('waits where memory has run out already: that gets no worse', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const pilot = await startPilot(world);
      await world.clock.advance(2 * MINUTE);
      world.setActivity('mai/large', 'generating');
      world.othersBytes = 15.5 * GIB;
      await world.clock.advance(25 * SECOND);
      expect(world.residentKeys()).toEqual(['large']);
      world.setActivity('mai/large', 'idle');
      await world.clock.advance(10 * SECOND);
      expect(world.residentKeys()).toEqual(['small']);
      expect(pilot.of('switch-finished').at(-1)?.report.forced).toEqual([]);
      await pilot.stop();
    });

    it('does not wait where others are taking the last that is left', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const pilot = await startPilot(world);
      await world.clock.advance(2 * MINUTE);
      world.setActivity('mai/large', 'generating');
      world.othersBytes = 15.4 * GIB;
      for (let second = 0; second < 8; second += 1) {
        world.othersBytes += 0.05 * GIB;
        await world.clock.advance(SECOND);
      }
      await world.clock.advance(5 * SECOND);
      expect(world.residentKeys()).toEqual(['small']);
      await pilot.stop();
    });

    it('loads nothing smaller beside it: that would take memory in place of giving it back', async () => {
      const world = new FakeWorld([LARGE, { modelKey: 'small', bytes: 3 * GIB }]);
      const pilot = await startPilot(world);
      await world.clock.advance(2 * MINUTE);
      world.setActivity('mai/large', 'generating');
      // 25.8 GiB with the large one, over the limit; 28.8 with both, under the hard limit.
      world.othersBytes = 9.8 * GIB;
      await world.clock.advance(3 * MINUTE);
      expect(world.log.filter((line) => line.startsWith('load'))).toEqual(['load large']);
      expect(pilot.of('put-off').length).toBeGreaterThan(0);
      world.setActivity('mai/large', 'idle');
      await world.clock.advance(10 * SECOND);
      expect(world.residentKeys()).toEqual(['small']);
      await pilot.stop();
    });

    it('ends a put-off as soon as it is seen idle', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const pilot = await startPilot(world);
      await world.clock.advance(2 * MINUTE);
      world.setActivity('mai/large', 'generating');
      world.othersBytes = 12 * GIB;
      while (pilot.of('put-off').length < 3) await world.clock.advance(SECOND);
      world.setActivity('mai/large', 'idle');
      await world.clock.advance(2 * SECOND);
      expect(world.residentKeys()).not.toContain('large');
      await pilot.stop();
    });

    it('steps up once it is idle, however short its pauses are', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      world.othersBytes = 12 * GIB;
      const pilot = await startPilot(world);
      await world.clock.advance(2 * MINUTE);
      expect(world.residentKeys()).toEqual(['small']);
      world.othersBytes = 4 * GIB;
      for (let second = 0; second < 180; second += 1) {
        const busy = second % 20 !== 0;
        if (world.instances.has('mai/small')) {
          world.setActivity('mai/small', busy ? 'generating' : 'idle');
        }
        await world.clock.advance(SECOND);
      }
      expect(world.residentKeys()).toEqual(['large']);
      await pilot.stop();
    });

    it('leaves it loaded at the stop', async () => {
      const world = new FakeWorld([SMALL]);
      const pilot = await startPilot(world);
      await world.clock.advance(5 * SECOND);
      world.setActivity('mai/small', 'generating');
      await pilot.stop();
      expect(world.residentKeys()).toEqual(['small']);
      expect(pilot.of('left-loaded')).toMatchObject([{ why: 'busy' }]);
    });
  });

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

    it('does not repeat what would only fail again', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      for (let time = 0; time < 50; time += 1) {
        world.failNextLoad('large', { kind: 'reject', code: 'LOAD_REFUSED' });
      }
      const pilot = await startPilot(world);
      await world.clock.advance(60 * MINUTE);
      expect(world.log.filter((entry) => entry === 'load large')).toHaveLength(1);
      await pilot.stop();
    });

    it('holds still and reports when everything fails', async () => {
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

    it('remembers them over a restart', async () => {
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

    it('stops in good order while the runtime is away', async () => {
      const world = new FakeWorld([SMALL]);
      const pilot = await startPilot(world);
      await world.clock.advance(5 * SECOND);
      world.down = 'UNREACHABLE';
      await pilot.stop();
    });

    it('breaks a load off when memory runs out under it', async () => {
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

    it('keeps the last sound configuration', async () => {
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

  it('does not load a model again and again whose context was refitted', async () => {
    const world = new FakeWorld([SMALL]);
    world.failNextLoad('small', { kind: 'context', contextLengthTokens: 6000 });
    const pilot = await startPilot(world);
    await world.clock.advance(10 * MINUTE);
    expect(world.log).toEqual(['load small']);
    await pilot.stop();
  });

  it('takes a new configuration up while it runs', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    world.chain = world.chain.slice(1);
    await world.clock.advance(2 * MINUTE);
    expect(world.residentKeys()).toContain('small');
    await pilot.stop();
  });

  it('decides and touches nothing in a dry run', async () => {
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

  describe('acquire', () => {
    it('lends what is loaded, and a lease holds a switch back until it is released', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const pilot = await startPilot(world);
      await world.clock.advance(2 * MINUTE);
      const { lease } = await pilot.autopilot.acquire(CHAT);
      expect(lease).toMatchObject({ instanceIdentifier: 'mai/large', modelKey: 'large' });
      world.othersBytes = 12 * GIB;
      await world.clock.advance(2 * MINUTE);
      expect(world.residentKeys()).toEqual(['large']);
      lease?.release();
      lease?.release();
      await world.clock.advance(6 * MINUTE);
      expect(world.residentKeys()).toEqual(['small']);
      await pilot.stop();
    });

    it('lends nothing of which nobody knows what it can', async () => {
      const world = new FakeWorld([SMALL]);
      world.models.set('other', { modelKey: 'other', bytes: GIB });
      world.place('other');
      const pilot = await startPilot(world);
      await world.clock.advance(10 * SECOND);
      expect(world.residentKeys()).toEqual(['other', 'small']);
      const { lease } = await pilot.autopilot.acquire(CHAT);
      expect(lease).toMatchObject({ modelKey: 'small' });
      await pilot.stop();
    });

    it('loads what it takes, without dwell', async () => {
      const world = new FakeWorld([SMALL, { modelKey: 'coder', bytes: 5 * GIB }]);
      const [small, coder] = world.chain;
      if (small === undefined || coder === undefined) throw new Error('no chain');
      world.chain = [small, { ...coder, capabilities: ['chat', 'coding'] }];
      const pilot = await startPilot(world);
      await world.clock.advance(5 * SECOND);
      expect(world.residentKeys()).toEqual(['small']);
      const acquiring = pilot.autopilot.acquire({ ...CHAT, capabilities: ['coding'] });
      await world.clock.advance(5 * SECOND);
      const { lease } = await acquiring;
      expect(lease?.modelKey).toBe('coder');
      // As long as it is leased the requirement stands.
      await world.clock.advance(5 * MINUTE);
      expect(world.residentKeys()).toContain('coder');
      lease?.release();
      await pilot.stop();
    });

    it('gives no lease but the decision when nothing meets the requirement', async () => {
      const world = new FakeWorld([SMALL]);
      const pilot = await startPilot(world);
      await world.clock.advance(5 * SECOND);
      const acquiring = pilot.autopilot.acquire({ ...CHAT, capabilities: ['vision'] });
      await world.clock.advance(2 * SECOND);
      const { lease, selection } = await acquiring;
      expect(lease).toBeNull();
      expect(selection).toMatchObject({ decision: 'keep', plan: { steps: [] } });
      await pilot.stop();
    });

    it('is cancelled by its signal and by the stop', async () => {
      const world = new FakeWorld([{ ...LARGE, loadMs: 60 * SECOND }]);
      const pilot = await startPilot(world);
      const controller = new AbortController();
      const reason = new Error('enough');
      const first = pilot.autopilot.acquire(CHAT, { signal: controller.signal });
      const second = pilot.autopilot.acquire(CHAT);
      controller.abort(reason);
      await expect(first).rejects.toBe(reason);
      const rejected = expect(second).rejects.toMatchObject({ name: 'AbortError' });
      await pilot.stop();
      await rejected;
      await expect(pilot.autopilot.acquire(CHAT)).rejects.toMatchObject({ name: 'AbortError' });
    });
  });

  it('evicts what others have loaded once it is idle for long enough, where the policy says so', async () => {
    const world = new FakeWorld([LARGE]);
    world.models.set('theirs', { modelKey: 'theirs', bytes: 8 * GIB });
    world.policy = { ...POLICY, foreign: 'evict-idle' };
    const lastUsedAtMs = world.clock.nowMs();
    world.place('theirs', { instanceIdentifier: 'theirs', lastUsedAtMs });
    const pilot = await startPilot(world);
    await world.clock.advance(9 * MINUTE);
    expect(world.log).toEqual([]);
    await world.clock.advance(3 * MINUTE);
    expect(world.log).toEqual(['unload theirs', 'load large']);
    await pilot.stop();
  });

  it('does not break off what memory shows only once it is loaded', async () => {
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
    it('leaves nothing loaded after the idle time, and loads again when it is asked', async () => {
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

  describe('the journal', () => {
    it('is confirmed within two seconds, and a pin holds', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const journal = createMemoryJournal(EMPTY_JOURNAL);
      const pilot = await startPilot(world, { journal });
      await world.clock.advance(2 * MINUTE);
      await journal.update(
        (state) => ({
          ...state,
          revision: state.revision + 1,
          pins: [{ target: 'large', reason: 'pin', sinceMs: world.clock.nowMs() }],
        }),
        {},
      );
      await world.clock.advance(2 * SECOND);
      expect((await journal.read({})).acknowledged).toMatchObject({
        revision: 1,
        processId: process.pid,
      });
      world.othersBytes = 12 * GIB;
      await world.clock.advance(10 * MINUTE);
      expect(world.residentKeys()).toContain('large');
      await pilot.stop();
      expect(world.residentKeys()).toContain('large');
    });

    /** Writes as `mai pin` does, and says whether that was confirmed within two seconds. */
    async function pinByHand(world: FakeWorld, journal: JournalPort, target: string) {
      const { revision } = await journal.update(
        (state) => ({
          ...state,
          revision: state.revision + 1,
          pins: [...state.pins, { target, reason: 'pin', sinceMs: world.clock.nowMs() }],
        }),
        {},
      );
      await world.clock.advance(2 * SECOND);
      return (await journal.read({})).acknowledged?.revision === revision;
    }

    it('is confirmed within two seconds while a load takes minutes', async () => {
      const world = new FakeWorld([{ ...LARGE, loadMs: 5 * MINUTE }, SMALL]);
      const journal = createMemoryJournal(EMPTY_JOURNAL);
      const pilot = await startPilot(world, { journal });
      await world.clock.advance(10 * SECOND);
      expect(world.loading).toBe(1);
      expect(await pinByHand(world, journal, 'large')).toBe(true);
      expect(pilot.autopilot.state.pins).toMatchObject([{ target: 'large' }]);
      expect(world.loading).toBe(1);
      await pilot.stop();
    });

    it('is confirmed within two seconds while LM Studio is away', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const journal = createMemoryJournal(EMPTY_JOURNAL);
      const pilot = await startPilot(world, { journal });
      world.down = 'UNREACHABLE';
      await world.clock.advance(5 * MINUTE);
      expect(await pinByHand(world, journal, 'large')).toBe(true);
      await pilot.stop();
    });

    it('keeps a model that was pinned while it was waited for', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const journal = createMemoryJournal(EMPTY_JOURNAL);
      const pilot = await startPilot(world, { journal });
      await world.clock.advance(2 * MINUTE);
      world.setActivity('mai/large', 'generating');
      world.othersBytes = 12 * GIB;
      await world.clock.advance(30 * SECOND);
      expect(pilot.of('switch-finished')).toHaveLength(1);
      expect(pilot.of('switch-started')).toHaveLength(2);
      expect(await pinByHand(world, journal, 'large')).toBe(true);
      world.setActivity('mai/large', 'idle');
      await world.clock.advance(10 * MINUTE);
      expect(world.residentKeys()).toContain('large');
      expect(world.log).not.toContain('unload mai/large');
      await pilot.stop();
    });

    it('makes room for a yield at once and takes it back when it ends', async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const journal = createMemoryJournal(EMPTY_JOURNAL);
      const alive = new Set([77]);
      const pilot = await startPilot(world, {
        journal,
        isProcessAlive: (processId) => alive.has(processId),
      });
      await world.clock.advance(2 * MINUTE);
      await journal.update(
        (state) => ({
          ...state,
          revision: state.revision + 1,
          yields: [
            {
              name: 'game',
              bytes: 8 * GIB,
              pools: 'all',
              sinceMs: 0,
              untilMs: null,
              processId: 77,
            },
          ],
        }),
        {},
      );
      await world.clock.advance(5 * SECOND);
      expect(world.residentKeys()).toEqual(['small']);
      expect(pilot.of('switch-started').at(-1)?.reason).toBe('YIELD');
      // The game takes what was held free for it: nothing more is given up.
      world.othersBytes += 8 * GIB;
      await world.clock.advance(10 * MINUTE);
      expect(world.residentKeys()).toEqual(['small']);
      world.othersBytes -= 8 * GIB;
      alive.clear();
      await world.clock.advance(30 * MINUTE);
      expect(world.residentKeys()).toEqual(['large']);
      expect((await journal.read({})).yields).toEqual([]);
      await pilot.stop();
    });
  });

  it('reports duplicates once', async () => {
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

  it('adopts what a Mai before it has left', async () => {
    const world = new FakeWorld([SMALL]);
    world.place('small');
    const pilot = await startPilot(world);
    await world.clock.advance(MINUTE);
    expect(world.log).toEqual([]);
    await pilot.stop();
    expect(world.residentKeys()).toEqual([]);
  });

  it('can be started again after a stop, and stopped twice', async () => {
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
