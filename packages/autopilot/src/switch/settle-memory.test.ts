import { FakeWorld, GIB } from '../../test/fake-world.js';
import { settleMemory } from './settle-memory.js';

/** Use of the others at each reading, in order. Later readings repeat the last value. */
async function settle(readingsGib: readonly number[]) {
  const world = new FakeWorld();
  let reading = 0;
  const startedMs = world.clock.monotonicMs();
  const ports = {
    ...world.ports,
    monitor: {
      ...world.ports.monitor,
      snapshot: async () => {
        world.othersBytes = (readingsGib[Math.min(reading, readingsGib.length - 1)] ?? 0) * GIB;
        reading += 1;
        return world.resources();
      },
    },
  };
  const { ram } = await world.clock.drive(settleMemory(ports, null, null));
  return {
    tookMs: world.clock.monotonicMs() - startedMs,
    othersGib: (ram.totalBytes - (ram.availableBytes ?? 0)) / GIB,
  };
}

describe('settleMemory', () => {
  it('ends with the second of two equal readings', async () => {
    expect(await settle([6, 6])).toEqual({ tookMs: 250, othersGib: 6 });
  });

  it('waits while memory changes', async () => {
    expect(await settle([16, 12, 8, 6.125, 6, 6.0078125])).toEqual({
      tookMs: 1250,
      othersGib: 6.0078125,
    });
  });

  it('takes the last reading after three seconds where memory never settles', async () => {
    const restless = Array.from({ length: 100 }, (_, index) => 6 + (index % 2));
    expect(await settle(restless)).toEqual({ tookMs: 3000, othersGib: 6 });
  });
});
