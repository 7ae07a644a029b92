import { FakeWorld, GIB } from '../../test/fake-world.js';
import { startPilot } from '../../test/pilot.js';
import { CHAT, LARGE, MINUTE, SECOND, SMALL } from '../../test/samples.js';
import { createMemoryJournal, type JournalPort } from './journal-port.js';
import { EMPTY_JOURNAL, type Yield } from './journal-state.js';

describe('the journal', () => {
  it('confirms a pin within two seconds, and then keeps the pinned model', async () => {
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

  /** Writes a change as `mai pin` does, and returns whether the change was confirmed within two seconds. */
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

  /** Writes a yield as `mai yield` does. */
  async function yieldTo(
    journal: JournalPort,
    given: Pick<Yield, 'bytes' | 'untilMs' | 'processId'>,
  ): Promise<void> {
    await journal.update(
      (state) => ({
        ...state,
        revision: state.revision + 1,
        yields: [{ name: 'game', pools: 'all', sinceMs: 0, ...given }],
      }),
      {},
    );
  }

  it('applies a pin before confirming the pin', async () => {
    const world = new FakeWorld([SMALL]);
    const memory = createMemoryJournal(EMPTY_JOURNAL);
    const pilot = await startPilot(world, {
      journal: {
        ...memory,
        // Others read the file as soon as it is written, before the writer goes on.
        update: async (change, options) => {
          const written = await memory.update(change, options);
          await world.clock.sleep(5 * SECOND, { signal: null });
          return written;
        },
      },
    });
    await world.clock.advance(MINUTE);
    expect(await pinByHand(world, memory, 'small')).toBe(true);
    expect(pilot.autopilot.state.pins).toMatchObject([{ target: 'small' }]);
    const stopped = pilot.stop();
    await world.clock.advance(10 * SECOND);
    await stopped;
  });

  it('confirms a pin within two seconds while a load takes minutes', async () => {
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

  it('confirms a pin within two seconds while LM Studio is not running', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const journal = createMemoryJournal(EMPTY_JOURNAL);
    const pilot = await startPilot(world, { journal });
    world.down = 'UNREACHABLE';
    await world.clock.advance(5 * MINUTE);
    expect(await pinByHand(world, journal, 'large')).toBe(true);
    await pilot.stop();
  });

  it('keeps a busy model that was pinned during the drain', async () => {
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

  it('makes room for a yield at once, and uses the room again when the yield ends', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const journal = createMemoryJournal(EMPTY_JOURNAL);
    const alive = new Set([77]);
    const pilot = await startPilot(world, {
      journal,
      isProcessAlive: (processId) => alive.has(processId),
    });
    await world.clock.advance(2 * MINUTE);
    await yieldTo(journal, { bytes: 8 * GIB, untilMs: null, processId: 77 });
    await world.clock.advance(5 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    expect(pilot.of('switch-started').at(-1)?.reason).toBe('YIELD');
    // The game uses the memory that was held free for it, so no further model is unloaded.
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

  it('answers a caller at once where a yield has just taken the memory for every model', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const journal = createMemoryJournal(EMPTY_JOURNAL);
    const pilot = await startPilot(world, { journal, onlyForCallers: true });
    await world.clock.advance(MINUTE);
    await yieldTo(journal, {
      bytes: 24 * GIB,
      untilMs: world.clock.nowMs() + 10 * MINUTE,
      processId: null,
    });
    await world.clock.advance(2 * SECOND);
    const acquiring = pilot.autopilot.acquire(CHAT);
    await world.clock.advance(2 * SECOND);
    expect(await acquiring).toMatchObject({ lease: null, selection: { decision: 'none' } });
    await pilot.stop();
  });
});
