import {
  chargeResidents,
  DEFAULT_SELECTION_POLICY,
  measurePools,
  type Resources,
} from '@mai/memory-ledger';
import type { Resident } from '@mai/selector';
import { FakeWorld, GIB } from '../../test/fake-world.js';
import { GAME } from '../../test/game.js';
import { reserveMemory } from './reserve-memory.js';

const machine = (resources: Resources, residents: readonly Resident[] = []) => ({
  resources,
  residents,
  policy: DEFAULT_SELECTION_POLICY,
});
const gpu = (availableBytes: number, memory: 'dedicated' | 'shared' = 'dedicated') => ({
  deviceKey: 'gpu',
  name: 'GPU',
  vendor: null,
  memory,
  totalBytes: 24 * GIB,
  availableBytes,
});

describe('reserveMemory', () => {
  it('holds less as the others use more, and does not count our own model as use of others', () => {
    const world = new FakeWorld([{ modelKey: 'ours', bytes: 10 * GIB }]);
    const residents = (): Resident[] =>
      [...world.instances.values()].map((one) => ({
        instanceIdentifier: one.instanceIdentifier,
        modelKey: one.modelKey,
        loadConfig: one.loadConfig,
        footprint: world.footprint(one.modelKey, one.loadConfig),
        busy: false,
        idleInMs: null,
        speed: null,
        pinned: false,
        foreign: false,
        lastUsedAtMs: null,
        observation: null,
      }));
    const first = reserveMemory(machine(world.resources(), residents()), [GAME], {});
    expect(first.resources.ram.availableBytes).toBe((26 - 8) * GIB);

    world.place('ours');
    world.othersBytes += 3 * GIB;
    const loaded = reserveMemory(machine(world.resources(), residents()), [GAME], first.baselines);
    expect(loaded.resources.ram.availableBytes).toBe((32 - 9 - 10 - 5) * GIB);

    world.othersBytes += 9 * GIB;
    const taken = reserveMemory(machine(world.resources(), residents()), [GAME], loaded.baselines);
    expect(taken.resources.ram.availableBytes).toBe((32 - 18 - 10) * GIB);
  });

  it.each([
    ['ram', 18, 20],
    ['gpu', 26, 12],
    ['all', 18, 12],
  ] as const)('takes memory from the pools of the yield: %s', (pools, ramGib, gpuGib) => {
    const resources = { ...new FakeWorld().resources(), gpus: [gpu(20 * GIB)] };
    const reserved = reserveMemory(machine(resources), [{ ...GAME, pools }], {}).resources;
    expect(reserved.ram.availableBytes).toBe(ramGib * GIB);
    expect(reserved.ram.yieldedBytes ?? 0).toBe((26 - ramGib) * GIB);
    expect(reserved.gpus[0]?.availableBytes).toBe(gpuGib * GIB);
    expect(reserved.gpus[0]?.yieldedBytes ?? 0).toBe((20 - gpuGib) * GIB);
  });

  it('holds all of its size where the use of the pool is not measured', () => {
    const resources = {
      ...new FakeWorld().resources(),
      gpus: [{ ...gpu(0), availableBytes: null }],
    };
    const reserved = reserveMemory(machine(resources), [{ ...GAME, pools: 'gpu' }], {}).resources;
    expect(reserved.gpus[0]).toMatchObject({ availableBytes: null, yieldedBytes: 8 * GIB });
    const pools = measurePools(reserved, [], DEFAULT_SELECTION_POLICY);
    expect(pools.find(({ name }) => name === 'gpu:gpu')).toMatchObject({
      measured: false,
      othersBytes: 8 * GIB,
      yieldedBytes: 8 * GIB,
    });
  });

  it('counts as use before the load of a resident, so that it does not count as growth', () => {
    const world = new FakeWorld([{ modelKey: 'ours', bytes: 10 * GIB, growthBytes: 8 * GIB }]);
    const { instanceIdentifier, modelKey, loadConfig } = world.place('ours');
    const resident: Resident = {
      instanceIdentifier,
      modelKey,
      loadConfig,
      footprint: world.footprint(modelKey, loadConfig),
      busy: false,
      idleInMs: null,
      speed: null,
      pinned: false,
      foreign: false,
      lastUsedAtMs: null,
      observation: {
        loadedAtMs: 1,
        processBytes: null,
        usedBefore: [{ pool: 'ram', bytes: 4 * GIB }],
      },
    };
    const grownOf = ({ resources, residents }: ReturnType<typeof machine>): unknown =>
      chargeResidents(residents, resources, 'ignore')[0]?.grown.get('ram');
    const before = machine(world.resources(), [resident]);
    // 16 GiB are in use: 4 before the load, 10 for the model and 2 of growth.
    expect(grownOf(before)).toBe(2 * GIB);
    const reserved = reserveMemory(before, [GAME], {});
    expect(grownOf(machine(reserved.resources, reserved.residents))).toBe(2 * GIB);
  });

  it('does not take the same memory twice where a GPU shares RAM', () => {
    const resources = { ...new FakeWorld().resources(), gpus: [gpu(20 * GIB, 'shared')] };
    const reserved = reserveMemory(machine(resources), [GAME], {}).resources;
    expect(reserved.ram.availableBytes).toBe(18 * GIB);
    expect(reserved.gpus[0]?.availableBytes).toBe(20 * GIB);
  });

  it.each([
    ['a byte less than is available', -1, 1],
    ['all that is available', 0, 0],
    ['a byte more than is available', 1, -1],
  ])('holds %s', (_, more, leftBytes) => {
    const resources = new FakeWorld().resources();
    const bytes = (resources.ram.availableBytes ?? 0) + more;
    const reserved = reserveMemory(machine(resources), [{ ...GAME, bytes }], {}).resources;
    expect(reserved.ram.availableBytes).toBe(leftBytes);
  });

  it('adds a further yield to those that the resources lack already', () => {
    const first = reserveMemory(machine(new FakeWorld().resources()), [GAME], {}).resources;
    const build = { ...GAME, name: 'build', bytes: GIB };
    const both = reserveMemory(machine(first), [build], {}).resources;
    expect(both.ram).toMatchObject({ availableBytes: 17 * GIB, yieldedBytes: 9 * GIB });
  });

  it('forgets the baseline of a yield that has ended', () => {
    const world = new FakeWorld();
    const { baselines } = reserveMemory(machine(world.resources()), [GAME], {});
    expect(Object.keys(baselines)).toEqual(['game']);
    expect(reserveMemory(machine(world.resources()), [], baselines).baselines).toEqual({});
  });
});
