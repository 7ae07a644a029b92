import { FakeWorld, GIB } from '../../test/fake-world.js';
import { startPilot } from '../../test/pilot.js';
import { LARGE, MINUTE, SECOND, SMALL } from '../../test/samples.js';
import { createMemoryJournal } from '../journal/journal-port.js';
import { EMPTY_JOURNAL } from '../journal/journal-state.js';

describe('with a busy model', () => {
  it('waits for the model, puts the switch off, and switches as soon as the model is idle', async () => {
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

  it('waits longer after each put-off, up to five minutes', async () => {
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

  it('unloads the model only in a lasting emergency, and reports that', async () => {
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

  it('reports once that memory passed the hard limit during the drain', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    world.setActivity('mai/large', 'generating');
    world.othersBytes = 12 * GIB;
    while (pilot.of('switch-started').length < 2) await world.clock.advance(SECOND);
    world.othersBytes = 14 * GIB;
    await world.clock.advance(10 * SECOND);
    expect(world.residentKeys()).toEqual(['large']);
    expect(pilot.of('emergency').map(({ pools }) => pools)).toEqual([['ram']]);
    await pilot.stop();
  });

  it('waits for `emergencyDrainMs` in an emergency, even if the drain deadline is shorter', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world, { timings: { drainDeadlineMs: 5 * SECOND } });
    await world.clock.advance(2 * MINUTE);
    world.setActivity('mai/large', 'generating');
    world.othersBytes = 14 * GIB;
    await world.clock.advance(28 * SECOND);
    expect(world.residentKeys()).toEqual(['large']);
    // An emergency that ended by itself does not shorten the drain of the next emergency.
    world.othersBytes = 6 * GIB;
    await world.clock.advance(5 * SECOND);
    world.othersBytes = 14 * GIB;
    await world.clock.advance(28 * SECOND);
    expect(world.residentKeys()).toEqual(['large']);
    await world.clock.advance(10 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });

  it('waits for `emergencyDrainMs` while a little memory is left and use does not grow', async () => {
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

  it.each([
    ['by a jump', 20],
    ['by a little', 15.9],
  ])('unloads the model within two seconds where memory has run out %s', async (_, othersGib) => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    world.setActivity('mai/large', 'generating');
    world.othersBytes = othersGib * GIB;
    await world.clock.advance(2.5 * SECOND);
    expect(world.residentKeys()).not.toContain('large');
    await world.clock.advance(10 * SECOND);
    expect(pilot.of('switch-finished').at(-1)?.report.forced).toEqual(['mai/large']);
    await pilot.stop();
  });

  it('unloads the model within two seconds where memory runs out during the drain', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    world.setActivity('mai/large', 'generating');
    world.othersBytes = 14 * GIB;
    await world.clock.advance(10 * SECOND);
    expect(world.residentKeys()).toEqual(['large']);
    world.othersBytes = 18 * GIB;
    await world.clock.advance(2.5 * SECOND);
    expect(world.residentKeys()).not.toContain('large');
    await pilot.stop();
  });

  it.each([
    ['two seconds where memory has run out', 30, 2.5],
    ['`emergencyDrainMs` over the hard limit', 26, 32],
  ])('also unloads the last model of the chain, after %s', async (_, othersGib, seconds) => {
    const world = new FakeWorld([SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    world.setActivity('mai/small', 'generating');
    world.othersBytes = othersGib * GIB;
    await world.clock.advance((seconds - 1.5) * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    await world.clock.advance(1.5 * SECOND);
    expect(world.residentKeys()).toEqual([]);
    expect(pilot.of('switch-finished').at(-1)?.report).toMatchObject({
      outcome: 'released',
      forced: ['mai/small'],
    });
    await pilot.stop();
  });

  it('does not unload the model for a yield while memory is left', async () => {
    const world = new FakeWorld([SMALL]);
    const journal = createMemoryJournal({
      ...EMPTY_JOURNAL,
      revision: 1,
      yields: [
        {
          name: 'game',
          bytes: 30 * GIB,
          pools: 'ram',
          sinceMs: 0,
          untilMs: null,
          processId: null,
        },
      ],
    });
    world.place('small', { activity: 'generating' });
    const pilot = await startPilot(world, { journal });
    await world.clock.advance(5 * MINUTE);
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });

  it('does not wait for the model while others take the last free memory', async () => {
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

  it('loads no smaller model beside the busy model, because the load would take memory instead of freeing it', async () => {
    const world = new FakeWorld([LARGE, { modelKey: 'small', bytes: 3 * GIB }]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    world.setActivity('mai/large', 'generating');
    // With the large model, 25.8 GiB are in use, over the limit. With both models, 28.8 GiB are in use, under
    // the hard limit.
    world.othersBytes = 9.8 * GIB;
    await world.clock.advance(3 * MINUTE);
    expect(world.log.filter((line) => line.startsWith('load'))).toEqual(['load large']);
    expect(pilot.of('put-off').length).toBeGreaterThan(0);
    world.setActivity('mai/large', 'idle');
    await world.clock.advance(10 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });

  it('ends a put-off as soon as the model is seen idle', async () => {
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

  it('steps up in an idle pause of the model, however short the pause is', async () => {
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

  it('leaves the busy model loaded at the stop', async () => {
    const world = new FakeWorld([SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    world.setActivity('mai/small', 'generating');
    await pilot.stop();
    expect(world.residentKeys()).toEqual(['small']);
    expect(pilot.of('left-loaded')).toMatchObject([{ why: 'busy' }]);
  });
});
