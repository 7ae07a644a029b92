import {
  addCharges,
  allowedUse,
  CAPACITY,
  charge,
  chargeResidents,
  countedAsUsed,
  DEFAULT_SELECTION_POLICY,
  deviceKeyOf,
  fits,
  fixedPool,
  HARD_LIMIT,
  isGpuShare,
  isMeasured,
  isOverLimit,
  LIMIT,
  measurePools,
  room,
  useOf,
  worstShortfall,
  type ChargedResident,
  type Footprint,
  type GpuResources,
  type Limit,
  type Pool,
  type PoolName,
  type Resources,
} from '../index.js';

const GIB = 1024 ** 3;

const footprint = (
  mapped: number,
  anonymous: number,
  gpus: Readonly<Record<string, number>> = {},
  high: number | null = null,
): Footprint => ({
  ram: { mappedBytes: mapped, anonymousBytes: anonymous },
  gpus: Object.entries(gpus).map(([deviceKey, bytes]) => ({ deviceKey, bytes })),
  interval: high === null ? null : { coverage: 0.9, lowBytes: 0, highBytes: high },
  growth: null,
  source: 'gguf-header',
  confidence: 'high',
});

const gpu = (
  deviceKey: string,
  memory: GpuResources['memory'],
  totalBytes: number | null = 100,
  availableBytes: number | null = 100,
): GpuResources => ({ deviceKey, name: null, vendor: null, memory, totalBytes, availableBytes });

const machine = (
  totalBytes: number,
  availableBytes: number | null,
  facts: Partial<Resources> & { readonly mappedCountsAsUsed?: boolean | null } = {},
): Resources => {
  const { mappedCountsAsUsed = false, ...rest } = facts;
  return {
    timestampMs: 0,
    observable: true,
    ram: { totalBytes, availableBytes, mappedCountsAsUsed },
    unified: false,
    gpus: [],
    cpu: { utilizationRatio: null, othersRatio: null },
    ...rest,
  };
};

/** One resident with a footprint and without an observation. */
const residents = (print: Footprint, resources: Resources): readonly ChargedResident[] =>
  chargeResidents([{ footprint: print, observation: null }], resources, 'ignore');

const bytesOf = (charges: ReadonlyMap<PoolName, number>): object => Object.fromEntries(charges);

describe('the charge of a footprint', () => {
  const card = [gpu('card', 'dedicated')];
  it.each([
    ['RAM alone', footprint(30, 10), [], { ram: 40 }],
    ['a margin of 5 on everything but the mapped 30', footprint(30, 10, {}, 45), [], { ram: 45 }],
    ['a margin on a footprint that is all mapped', footprint(30, 0, {}, 45), [], { ram: 45 }],
    ['an interval below the figures', footprint(30, 10, {}, 35), [], { ram: 40 }],
    // 30 anonymous + 10 on the card, margin 8: 6 for RAM, 2 for the card.
    [
      'a margin shared out in proportion',
      footprint(5, 30, { card: 10 }, 53),
      card,
      { ram: 41, 'gpu:card': 12 },
    ],
    // Margin 2 over 3 + 1 bytes: 1.5 and 0.5, each rounded up.
    [
      'shares of a margin that are fractions of a byte',
      footprint(0, 3, { card: 1 }, 6),
      card,
      { ram: 5, 'gpu:card': 2 },
    ],
    [
      'a GPU that shares RAM',
      footprint(0, 3, { igpu: 7 }),
      [gpu('igpu', 'shared')],
      { ram: 10, 'gpu-share:igpu': 7 },
    ],
    ['a GPU that the machine does not have', footprint(0, 3, { gone: 7 }), card, { ram: 10 }],
    [
      'two equal cards are two pools',
      footprint(0, 1, { one: 2, two: 3 }),
      [gpu('one', 'dedicated'), gpu('two', 'dedicated')],
      { ram: 1, 'gpu:one': 2, 'gpu:two': 3 },
    ],
    ['an empty footprint', footprint(0, 0), card, {}],
  ] as const)('%s', (_case, print, gpus, expected) => {
    expect(bytesOf(charge(print, { unified: false, gpus }, 'upper-end', 'ignore').charge)).toEqual(
      expected,
    );
  });

  it('charges a resident its expected size', () => {
    const devices = { unified: false, gpus: [] };
    expect(
      bytesOf(charge(footprint(30, 10, {}, 45), devices, 'expected', 'ignore').charge),
    ).toEqual({
      ram: 40,
    });
  });

  it.each([
    ['upper-end', 'dedicated', { ram: 10 }],
    ['expected', 'dedicated', { ram: 3, 'gpu:card': 7 }],
    ['upper-end', 'shared', { ram: 10, 'gpu-share:card': 7 }],
  ] as const)(
    'charges a size that is %s of a GPU with %s memory of unknown size: %j',
    (size, memory, expected) => {
      const devices = { unified: false, gpus: [gpu('card', memory, null, null)] };
      const print = footprint(0, 3, { card: 7 });
      expect(bytesOf(charge(print, devices, size, 'ignore').charge)).toEqual(expected);
    },
  );

  it('names the GPUs that the machine does not have', () => {
    const print = footprint(0, 3, { gone: 7, card: 1 });
    expect(
      charge(print, { unified: false, gpus: card }, 'expected', 'ignore').missingDeviceKeys,
    ).toEqual(['gone']);
  });

  it('treats every GPU of a unified machine as shared', () => {
    const devices = { unified: true, gpus: [gpu('apple', 'dedicated')] };
    expect(
      bytesOf(charge(footprint(0, 3, { apple: 7 }), devices, 'expected', 'ignore').charge),
    ).toEqual({
      ram: 10,
      'gpu-share:apple': 7,
    });
  });
});

describe('the part of a resident that the OS counts as used', () => {
  const print = footprint(30, 10, { card: 5, gone: 2 });
  const gpus = [gpu('card', 'dedicated')];
  it.each([
    [true, { ram: 40, 'gpu:card': 5 }],
    [false, { ram: 10, 'gpu:card': 5 }],
    [null, { ram: 10, 'gpu:card': 5 }],
  ])('mappedCountsAsUsed %s', (mappedCountsAsUsed, expected) => {
    const resources = machine(100, 100, { mappedCountsAsUsed, gpus });
    expect(bytesOf(countedAsUsed(print, resources))).toEqual(expected);
  });
});

describe('the pools of a machine', () => {
  it('subtracts the counted part of the residents from the used bytes, and then adds their full charge', () => {
    // 100 in total, 40 available: 60 are used. 10 of them are anonymous memory of the resident, so others use 50.
    const resources = machine(100, 40);
    const [ram] = measurePools(
      resources,
      residents(footprint(30, 10), resources),
      DEFAULT_SELECTION_POLICY,
    );
    expect(ram).toMatchObject({ name: 'ram', othersBytes: 50, residentBytes: 40, measured: true });
    expect(ram === undefined ? null : useOf(ram)).toBe(90);
  });

  it.each([
    ['is named as a part of the others', 40, 30, 50, 30],
    ['is never more than the others', 95, 30, 0, 0],
  ])('memory that yields keep free %s', (_, availableBytes, yieldedBytes, othersBytes, named) => {
    const { ram, ...rest } = machine(100, availableBytes);
    const resources = { ...rest, ram: { ...ram, yieldedBytes } };
    const [pool] = measurePools(
      resources,
      residents(footprint(30, 10), resources),
      DEFAULT_SELECTION_POLICY,
    );
    expect(pool).toMatchObject({ othersBytes, yieldedBytes: named });
  });

  it('never counts negative bytes for others', () => {
    const resources = machine(100, 95);
    const [ram] = measurePools(
      resources,
      residents(footprint(0, 10), resources),
      DEFAULT_SELECTION_POLICY,
    );
    expect(ram?.othersBytes).toBe(0);
  });

  it('lists RAM, dedicated memory and caps with their limits, and leaves out a GPU of unknown size', () => {
    const gpus = [
      gpu('card', 'dedicated'),
      gpu('igpu', 'shared', 50, null),
      gpu('hidden', 'dedicated', null, null),
    ];
    const pools = measurePools(machine(100, 100, { gpus }), [], DEFAULT_SELECTION_POLICY);
    expect(pools.map((pool) => [pool.name, pool.measured, pool.limitRatio])).toEqual([
      ['ram', true, 0.8],
      ['gpu:card', true, 0.9],
      ['gpu-share:igpu', false, 1],
    ]);
  });

  it('gives a unified pool a hard limit of its own', () => {
    const [ram] = measurePools(machine(100, 100, { unified: true }), [], DEFAULT_SELECTION_POLICY);
    expect(ram?.hardLimitRatio).toBe(0.85);
  });
});

describe('limits', () => {
  /** 100 GiB: others use 20 and residents 30, so 50 are in use. */
  const pool: Pool = {
    ...fixedPool('ram', 100 * GIB),
    othersBytes: 20 * GIB,
    residentBytes: 30 * GIB,
    limitRatio: 0.8,
    hardLimitRatio: 0.92,
    minHeadroomBytes: GIB,
  };
  it.each<[string, Limit, Partial<Pool>, number]>([
    ['the share', LIMIT, {}, 80],
    ['the share, lowered by the minimum headroom', LIMIT, { minHeadroomBytes: 30 * GIB }, 70],
    ['the share less a margin', { kind: 'upgrade', marginRatio: 0.1, floorRatio: 0.65 }, {}, 70],
    ['not below the floor', { kind: 'upgrade', marginRatio: 0.3, floorRatio: 0.65 }, {}, 65],
    ['a floor above the limit', { kind: 'upgrade', marginRatio: 0.3, floorRatio: 0.95 }, {}, 80],
    ['the hard limit ignores the headroom', HARD_LIMIT, { minHeadroomBytes: 30 * GIB }, 92],
    ['the whole pool', CAPACITY, { minHeadroomBytes: 30 * GIB }, 100],
  ])('%s', (_case, limit, change, gib) => {
    expect(allowedUse({ ...pool, ...change }, limit)).toBeCloseTo(gib * GIB, -1);
  });

  it.each([
    [-1, true],
    [0, true],
    [1, false],
  ])('a load that is %i bytes larger than the room fits: %s', (more, expected) => {
    const needed = new Map<PoolName, number>([['ram', 30 * GIB + more]]);
    expect(room(pool, LIMIT)).toBe(30 * GIB);
    expect(fits([pool], needed, { limit: LIMIT })).toBe(expected);
  });

  it.each([
    [-1, false],
    [0, false],
    [1, true],
  ])('use of %i bytes more than the hard limit allows is over the limit: %s', (more, expected) => {
    const hard = allowedUse(pool, HARD_LIMIT);
    const full = { ...pool, othersBytes: hard - pool.residentBytes + more };
    expect(isOverLimit(full, HARD_LIMIT)).toBe(expected);
  });

  it('adds to the room the bytes that are unloaded before the load', () => {
    expect(room(pool, LIMIT, 10 * GIB)).toBe(40 * GIB);
  });
});

describe('the worst shortfall', () => {
  const pools = [fixedPool('ram', 100), fixedPool('gpu:card', 10)];
  const needs = (ram: number, card: number): Map<PoolName, number> =>
    new Map([
      ['ram', ram],
      ['gpu:card', card],
    ]);

  it('is the shortfall of the pool that lacks the most bytes', () => {
    expect(worstShortfall(pools, needs(103, 15), { limit: LIMIT })).toEqual({
      pool: 'gpu:card',
      shortfallBytes: 5,
      neededBytes: 15,
      allowedBytes: 10,
    });
  });

  it('ignores a full pool that the load does not use', () => {
    const full = [{ ...fixedPool('gpu:card', 10), othersBytes: 10 }, fixedPool('ram', 100)];
    expect(fits(full, new Map([['ram', 1]]), { limit: LIMIT })).toBe(true);
  });

  it('counts bytes that are unloaded before the load as free', () => {
    const freed = new Map<PoolName, number>([['gpu:card', 5]]);
    const used = [{ ...fixedPool('gpu:card', 10), residentBytes: 5 }];
    expect(fits(used, new Map([['gpu:card', 10]]), { limit: LIMIT })).toBe(false);
    expect(fits(used, new Map([['gpu:card', 10]]), { limit: LIMIT, freed })).toBe(true);
  });

  it('fits any charge into a pool of unknown size, and reports the charge as not measured', () => {
    const needed = new Map<PoolName, number>([['gpu:hidden', 50]]);
    expect(fits(pools, needed, { limit: LIMIT })).toBe(true);
    expect(isMeasured(pools, needed)).toBe(false);
    expect(isMeasured(pools, needs(1, 1))).toBe(true);
    expect(isMeasured([{ ...fixedPool('ram', 100), measured: false }], needs(1, 0))).toBe(false);
  });

  it('does not fit NaN bytes into any pool', () => {
    expect(fits(pools, needs(Number.NaN, 0), { limit: LIMIT })).toBe(false);
  });
});

it('adds charges up', () => {
  const one = new Map<PoolName, number>([['ram', 1]]);
  const other = new Map<PoolName, number>([
    ['ram', 2],
    ['gpu:card', 3],
  ]);
  expect(bytesOf(addCharges([one, other]))).toEqual({ ram: 3, 'gpu:card': 3 });
});

it.each<[PoolName, deviceKey: string | null, isShare: boolean]>([
  ['ram', null, false],
  ['gpu:card', 'card', false],
  ['gpu:gpu-share:0', 'gpu-share:0', false],
  ['gpu-share:pci:0000:03:00.0', 'pci:0000:03:00.0', true],
])('reads the name of the pool %s', (pool, deviceKey, isShare) => {
  expect(deviceKeyOf(pool)).toBe(deviceKey);
  expect(isGpuShare(pool)).toBe(isShare);
});
