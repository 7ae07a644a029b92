import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { FakeWorld, GIB } from '../../test/fake-world.js';
import { startPilot } from '../../test/pilot.js';
import { LARGE, MINUTE, SECOND, SMALL } from '../../test/samples.js';
import { createMemoryJournal } from '../journal/journal-port.js';
import { EMPTY_JOURNAL } from '../journal/journal-state.js';
import type { AutopilotOptions } from '../autopilot-options.js';

describe('between two rounds', () => {
  /** A world that can read RAM without the other resources. `reads` counts these readings. */
  function openPolled() {
    const world = new FakeWorld([LARGE, SMALL]);
    const polls = { reads: 0, broken: false };
    const readRam = async () => {
      polls.reads += 1;
      if (polls.broken) throw new Error('no memory here');
      return world.resources().ram;
    };
    const monitor = { ...world.ports.monitor, readRam };
    const start = (options: Partial<AutopilotOptions> = {}) =>
      startPilot(world, { monitor, ...options });
    return { world, polls, start };
  }

  it('starts a round as soon as a limit is passed, and switches when the dwell is over', async () => {
    const { world, start } = openPolled();
    const pilot = await start();
    await world.clock.advance(2 * MINUTE);
    const before = pilot.events.length;
    await world.clock.advance(1050);
    world.othersBytes = 12 * GIB;
    const passedMs = world.clock.nowMs();
    await world.clock.advance(DEFAULT_SELECTION_POLICY.dwellMs + 5 * SECOND);
    const since = pilot.events.slice(before).filter(({ atMs }) => atMs >= passedMs);
    const dwelling = since.find((one) => one.type === 'decided');
    expect(dwelling).toMatchObject({ verdict: { reason: 'DWELLING' } });
    expect((dwelling?.atMs ?? 0) - passedMs).toBeLessThanOrEqual(150);
    const switching = since.find((one) => one.type === 'switch-started');
    expect((switching?.atMs ?? 0) - (dwelling?.atMs ?? 0)).toBe(DEFAULT_SELECTION_POLICY.dwellMs);
    await pilot.stop();
  });

  it('starts no round while memory does not cross a limit', async () => {
    const { world, polls, start } = openPolled();
    const pilot = await start();
    await world.clock.advance(2 * MINUTE);
    const [rounds, reads] = [pilot.of('decided').length, polls.reads];
    await world.clock.advance(MINUTE);
    expect(pilot.of('decided').length - rounds).toBe(60);
    expect(polls.reads - reads).toBeGreaterThan(60);
    await pilot.stop();
  });

  it('starts no round while a yield holds memory and nothing else changes', async () => {
    const { world, start } = openPolled();
    // 6 GiB of others, 16 of the pinned model and 4 yielded are over the limit of 25.6 GiB.
    world.place('large');
    const game = { name: 'game', bytes: 4 * GIB, pools: 'all', sinceMs: 0 } as const;
    const yields = [{ ...game, untilMs: null, processId: null }];
    const pilot = await start({
      journal: createMemoryJournal({ ...EMPTY_JOURNAL, yields }),
      request: { pinned: ['large'] },
    });
    await world.clock.advance(2 * MINUTE);
    const rounds = pilot.of('decided').length;
    await world.clock.advance(MINUTE);
    expect(pilot.of('decided').length - rounds).toBe(60);
    await pilot.stop();
  });

  it('does not poll while memory is far from every limit', async () => {
    const { world, polls, start } = openPolled();
    world.chain.shift();
    const pilot = await start();
    await world.clock.advance(2 * MINUTE);
    polls.reads = 0;
    await world.clock.advance(MINUTE);
    expect(polls.reads).toBe(0);
    await pilot.stop();
  });

  it('leaves a failed reading to the next round', async () => {
    const { world, polls, start } = openPolled();
    const pilot = await start();
    await world.clock.advance(2 * MINUTE);
    polls.broken = true;
    const rounds = pilot.of('decided').length;
    await world.clock.advance(10 * SECOND);
    expect(pilot.of('decided').length - rounds).toBe(10);
    expect(pilot.of('fault')).toEqual([]);
    await pilot.stop();
  });
});
