import { DEFAULT_SELECTION_POLICY, type GrowthPolicy } from '@mai/memory-ledger';
import { FakeWorld, GIB } from '../../test/fake-world.js';
import { startPilot } from '../../test/pilot.js';
import { MINUTE, SECOND } from '../../test/samples.js';
import type { LogRecord } from '../decision-log/decision-record.js';
import { replayDecisions } from '../decision-log/replay-decisions.js';

/** 32 GiB. Others use 6 GiB. At most 25.6 GiB may be in use. */
function worldOf(growth: GrowthPolicy): FakeWorld {
  const world = new FakeWorld([
    { modelKey: 'large', bytes: 16 * GIB, growthBytes: 8 * GIB },
    { modelKey: 'small', bytes: 4 * GIB, growthBytes: 0 },
  ]);
  world.policy = { ...DEFAULT_SELECTION_POLICY, growth };
  return world;
}

/** Lets the large model answer, and grow by 0.2 GiB every ten seconds, while it is loaded. */
async function useFor(world: FakeWorld, minutes: number): Promise<void> {
  for (let step = 0; step < minutes * 6; step += 1) {
    const large = [...world.instances.values()].find(({ modelKey }) => modelKey === 'large');
    if (large !== undefined) {
      world.setActivity(large.instanceIdentifier, step % 2 === 0 ? 'generating' : 'idle');
      const grown = world.grownBytes.get('large') ?? 0;
      world.grownBytes.set('large', Math.min(8 * GIB, grown + 0.2 * GIB));
    }
    await world.clock.advance(10 * SECOND);
  }
}

describe('a model that grows above the limit while it is used', () => {
  it.each<[GrowthPolicy, readonly string[]]>([
    ['ignore', ['load large', 'unload mai/large', 'load small']],
    ['reserve-share', ['load large', 'unload mai/large', 'load small']],
    ['charge', ['load small']],
  ])(
    'is replaced at most once under %s, and every decision can be replayed',
    async (growth, log) => {
      const world = worldOf(growth);
      const lines: string[] = [];
      const pilot = await startPilot(world, {
        request: { tradeOffs: false },
        decisionLog: {
          write: (record) => lines.push(JSON.stringify(record)),
          flushed: () => Promise.resolve(),
        },
      });
      await useFor(world, 60);
      expect(world.log).toEqual(log);
      await pilot.stop();
      const report = await replayDecisions(lines);
      expect(report).toMatchObject({ difference: null, unreadable: [], older: null });
      expect(report.reproduced).toBeGreaterThan(20);
    },
  );

  it('never counts its growth as use of others', async () => {
    const world = worldOf('ignore');
    world.totalBytes = 64 * GIB;
    const others: number[] = [];
    const pilot = await startPilot(world, {
      decisionLog: {
        write: (record: LogRecord) => {
          const large = record.type === 'decision' && record.input.residents.length > 0;
          if (large) others.push((record.selection.pools[0]?.othersBytes ?? 0) / GIB);
        },
        flushed: () => Promise.resolve(),
      },
    });
    await useFor(world, 10);
    expect(others.length).toBeGreaterThan(5);
    // Between two listings, a small growth may count as use of others for some seconds.
    for (const gib of others) expect(gib).toBeCloseTo(6, 0);
    expect(world.log).toEqual(['load large']);
    await pilot.stop();
  });

  it('is measured at its process where the process is known', async () => {
    const world = worldOf('ignore');
    world.totalBytes = 64 * GIB;
    const pilot = await startPilot(world, {
      engines: {
        anonymousBytes: (identifiers) =>
          Promise.resolve(
            new Map(
              identifiers.map((one) => [one, 16 * GIB + (world.grownBytes.get('large') ?? 0)]),
            ),
          ),
      },
    });
    await useFor(world, 10);
    await world.clock.advance(MINUTE);
    const { decision } = pilot.autopilot.state;
    expect(decision?.selection.pools[0]).toMatchObject({
      othersBytes: 6 * GIB,
      useBeforeBytes: 30 * GIB,
    });
    await pilot.stop();
  });
});
