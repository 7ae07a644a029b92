import {
  charge,
  chargeLoad,
  chargeResidents,
  DEFAULT_SELECTION_POLICY,
  GROWTH_RESERVE_RATIO,
  measurePools,
  usedBytes,
  useOf,
  type Charge,
  type Footprint,
  type FootprintGrowth,
  type GpuResources,
  type GrowthPolicy,
  type ObservedResident,
  type PoolName,
  type ResidentObservation,
  type Resources,
} from '../index.js';

type ByPool = Readonly<Partial<Record<PoolName, number>>>;

const footprint = (
  ram: { readonly mapped?: number; readonly anonymous: number },
  growth: FootprintGrowth | null,
  gpus: Footprint['gpus'] = [],
  highBytes: number | null = null,
): Footprint => ({
  ram: { mappedBytes: ram.mapped ?? 0, anonymousBytes: ram.anonymous },
  gpus,
  interval: highBytes === null ? null : { coverage: 0.9, lowBytes: 0, highBytes },
  growth,
  source: 'gguf-header',
  confidence: 'high',
});
const ramGrowth = (ramBytes: number): FootprintGrowth => ({ ramBytes, gpus: [] });

const gpu = (
  deviceKey: string,
  memory: GpuResources['memory'],
  available: number | null = 100,
): GpuResources => ({
  deviceKey,
  name: null,
  vendor: null,
  memory,
  totalBytes: 100,
  availableBytes: available,
});
/** A machine with 100 bytes of RAM. `used` bytes are in use. */
const machine = (
  used: number | null,
  facts: Partial<Resources> & { readonly mappedCountsAsUsed?: boolean } = {},
): Resources => {
  const { mappedCountsAsUsed = false, ...rest } = facts;
  const availableBytes = used === null ? null : 100 - used;
  return {
    timestampMs: 0,
    observable: true,
    ram: { totalBytes: 100, availableBytes, mappedCountsAsUsed },
    unified: false,
    gpus: [],
    cpu: { utilizationRatio: null, othersRatio: null },
    ...rest,
  };
};

const POOL_NAMES: readonly PoolName[] = ['ram', 'gpu:card', 'gpu-share:igpu'];
const seen = (
  usedBefore: ByPool,
  facts: Partial<ResidentObservation> = {},
): ResidentObservation => ({
  loadedAtMs: 1,
  processBytes: null,
  usedBefore: POOL_NAMES.flatMap((pool) => {
    const bytes = usedBefore[pool];
    return bytes === undefined ? [] : [{ pool, bytes }];
  }),
  ...facts,
});
const bytesOf = (one: Charge | undefined): ByPool => Object.fromEntries(one ?? []);
const share = (bytes: number): number => Math.ceil(GROWTH_RESERVE_RATIO * bytes);

describe('the charge of growth', () => {
  const print = footprint({ mapped: 5, anonymous: 10 }, ramGrowth(7));

  it.each<[GrowthPolicy, number]>([
    ['charge', 22],
    ['reserve-share', 15 + share(7)],
    ['ignore', 15],
  ])('under the policy %s', (growth, ram) => {
    expect(bytesOf(charge(print, machine(0), 'expected', growth).charge)).toEqual({ ram });
  });

  it('is nothing where growth is not known', () => {
    const unknown = { ...print, growth: null };
    expect(bytesOf(charge(unknown, machine(0), 'expected', 'charge').charge)).toEqual({ ram: 15 });
  });

  it('is added to the margin, which is spread over the footprint without growth', () => {
    const wide = { ...print, interval: { coverage: 0.9, lowBytes: 0, highBytes: 18 } };
    expect(bytesOf(charge(wide, machine(0), 'upper-end', 'charge').charge)).toEqual({ ram: 25 });
  });

  it('is not charged twice where the upper end includes a part of it', () => {
    // 10 + a margin of 8, which is 5 of growth and 3 of doubt. Growth of 7 + 4 on the card: 11 - 5 remain.
    const growth = { ramBytes: 3, gpus: [{ deviceKey: 'card', bytes: 8 }], inUpperEndBytes: 5 };
    const wide = footprint({ anonymous: 10 }, growth, [], 18);
    const card = machine(0, { gpus: [gpu('card', 'dedicated')] });
    const load = (policy: GrowthPolicy, observed?: Parameters<typeof chargeLoad>[3]) =>
      bytesOf(chargeLoad(wide, card, policy, observed));
    expect(load('charge')).toEqual({ ram: 18, 'gpu:card': 6 });
    expect(load('reserve-share')).toEqual({ ram: 18, 'gpu:card': share(6) });
    expect(load('ignore')).toEqual({ ram: 18 });
    // The upper end includes 3 of the observed growth in RAM.
    expect(load('ignore', [{ pool: 'ram', bytes: 4 }])).toEqual({ ram: 19 });
    // A resident is charged without the margin, so all growth is charged.
    expect(bytesOf(charge(wide, card, 'expected', 'charge').charge)).toEqual({
      ram: 13,
      'gpu:card': 8,
    });
    // A calibrated interval can be narrower than the growth that it includes.
    const narrow = footprint({ anonymous: 10 }, growth, [], 12);
    expect(bytesOf(chargeLoad(narrow, card, 'charge'))).toEqual({ ram: 13, 'gpu:card': 8 });
  });

  it.each<[string, Partial<Resources>, ByPool]>([
    ['a card', { gpus: [gpu('card', 'dedicated')] }, { ram: 12, 'gpu:card': 4 }],
    ['a GPU that shares RAM', { gpus: [gpu('card', 'shared')] }, { ram: 16, 'gpu-share:card': 4 }],
    [
      'a unified machine',
      { unified: true, gpus: [gpu('card', 'dedicated')] },
      { ram: 16, 'gpu-share:card': 4 },
    ],
    ['a missing card', {}, { ram: 16 }],
  ])('on the GPU of %s', (_case, facts, expected) => {
    const growth = { ramBytes: 2, gpus: [{ deviceKey: 'card', bytes: 4 }] };
    const charged = charge(
      footprint({ anonymous: 10 }, growth),
      machine(0, facts),
      'expected',
      'charge',
    );
    expect(bytesOf(charged.charge)).toEqual(expected);
    expect(charged.missingDeviceKeys).toEqual((facts.gpus ?? []).length === 0 ? ['card'] : []);
  });

  it('names a missing GPU once', () => {
    const gone = [{ deviceKey: 'gone', bytes: 1 }];
    const print = footprint({ anonymous: 1 }, { ramBytes: 0, gpus: gone }, gone);
    expect(charge(print, machine(0), 'expected', 'charge').missingDeviceKeys).toEqual(['gone']);
  });

  // The upper end is 18 without growth. Earlier copies grew by `observed`.
  it.each<[GrowthPolicy, observed: number, ram: number]>([
    ['ignore', 0, 18],
    ['ignore', 4, 22],
    ['reserve-share', share(7), 18 + share(7)],
    ['reserve-share', share(7) + 1, 18 + share(7) + 1],
    ['charge', 6, 25],
    ['charge', 7, 25],
    ['charge', 8, 26],
  ])('of a load under %s, where earlier copies grew by %i', (growth, bytes, ram) => {
    const wide = { ...print, interval: { coverage: 0.9, lowBytes: 0, highBytes: 18 } };
    expect(bytesOf(chargeLoad(wide, machine(0), growth, [{ pool: 'ram', bytes }]))).toEqual({
      ram,
    });
  });
});

describe('the part of a resident that the OS counts as used', () => {
  const one = (
    print: Footprint | null,
    observation: ResidentObservation | null,
    resources: Resources,
  ): ByPool =>
    bytesOf(chargeResidents([{ footprint: print, observation }], resources, 'ignore')[0]?.counted);

  // Use before the load: 20. Expected: 10 anonymous bytes. Growth: at most 30.
  it.each<[used: number, counted: number]>([
    [19, 10],
    [29, 10],
    [30, 10],
    [31, 11],
    [45, 25],
    [59, 39],
    [60, 40],
    [61, 40],
    [100, 40],
  ])('with %i bytes in use is %i, where 20 were in use before the load', (used, counted) => {
    const print = footprint({ mapped: 50, anonymous: 10 }, ramGrowth(30));
    expect(one(print, seen({ ram: 20 }), machine(used))).toEqual({ ram: counted });
  });

  it('is the expected size where growth is not known, and where nothing was observed', () => {
    const print = footprint({ anonymous: 10 }, null);
    expect(one(print, seen({ ram: 20 }), machine(60))).toEqual({ ram: 10 });
    const growing = footprint({ anonymous: 10 }, ramGrowth(30));
    expect(one(growing, null, machine(60))).toEqual({ ram: 10 });
    expect(one(growing, seen({}), machine(60))).toEqual({ ram: 10 });
    expect(one(growing, seen({ ram: 20 }), machine(null))).toEqual({ ram: 10 });
  });

  it('includes mapped weights where the OS counts them as used', () => {
    const print = footprint({ mapped: 15, anonymous: 10 }, ramGrowth(30));
    const windows = { mappedCountsAsUsed: true };
    expect(one(print, seen({ ram: 20 }), machine(45, windows))).toEqual({ ram: 25 });
    expect(one(print, seen({ ram: 20 }), machine(50, windows))).toEqual({ ram: 30 });
    expect(one(print, seen({ ram: 20 }), machine(99, windows))).toEqual({ ram: 55 });
  });

  it.each<[process: number, counted: number]>([
    [0, 0],
    [9, 9],
    [10, 10],
    [55, 55],
  ])('is the %i bytes of its process, with no bound', (processBytes, counted) => {
    const print = footprint({ mapped: 15, anonymous: 10 }, ramGrowth(30));
    const observation = seen({ ram: 20 }, { processBytes });
    expect(one(print, observation, machine(60))).toEqual({ ram: counted });
    // Windows also counts the 15 mapped bytes.
    expect(one(print, observation, machine(60, { mappedCountsAsUsed: true }))).toEqual({
      ram: counted + 15,
    });
  });

  it('is the RAM of the process where the footprint is not known', () => {
    expect(one(null, seen({}, { processBytes: 7 }), machine(60))).toEqual({ ram: 7 });
    expect(one(null, seen({ ram: 20 }), machine(60))).toEqual({});
  });

  it('includes growth on a GPU, and leaves out a missing GPU', () => {
    const growth = { ramBytes: 0, gpus: [{ deviceKey: 'card', bytes: 30 }] };
    const print = footprint({ anonymous: 5 }, growth, [{ deviceKey: 'card', bytes: 10 }]);
    const observation = seen({ ram: 20, 'gpu:card': 40 });
    const withCard = machine(60, { gpus: [gpu('card', 'dedicated', 100 - 65)] });
    expect(one(print, observation, withCard)).toEqual({ ram: 5, 'gpu:card': 25 });
    expect(one(print, observation, machine(60))).toEqual({ ram: 5 });
  });

  it('includes growth in the RAM of a unified machine, also where the process is measured', () => {
    const growth = { ramBytes: 4, gpus: [{ deviceKey: 'apple', bytes: 30 }] };
    const print = footprint({ anonymous: 5 }, growth, [{ deviceKey: 'apple', bytes: 10 }]);
    const unified = { unified: true, gpus: [gpu('apple', 'dedicated', null)] };
    // The expected size is 15. Use has risen by 25 since before the load.
    expect(one(print, seen({ ram: 20 }), machine(45, unified))).toEqual({
      ram: 25,
      'gpu-share:apple': 10,
    });
    // The process takes 8. The GPU's part is 10, and may grow by 30.
    const measured = seen({ ram: 20 }, { processBytes: 8 });
    expect(one(print, measured, machine(30, unified))).toMatchObject({ ram: 18 });
    expect(one(print, measured, machine(45, unified))).toMatchObject({ ram: 25 });
    expect(one(print, measured, machine(90, unified))).toMatchObject({ ram: 48 });
  });
});

describe('residents that grow together', () => {
  const print = footprint({ anonymous: 10 }, ramGrowth(8));
  const loaded = (loadedAtMs: number, ram: number): ObservedResident => ({
    footprint: print,
    observation: seen({ ram }, { loadedAtMs }),
  });
  const countedAt = (residents: readonly ObservedResident[], used: number): readonly unknown[] =>
    chargeResidents(residents, machine(used), 'ignore').map(({ counted }) => bytesOf(counted).ram);

  // Others use 20. The first took 10 and had grown by 3 when the second was loaded: 33 were in use.
  const first = loaded(1, 20);
  const second = loaded(2, 33);

  it.each<[used: number, counted: readonly number[]]>([
    [43, [13, 10]],
    [45, [13, 12]],
    // The growth is counted for the last loaded resident, up to its bound. The rest is counted for the other
    // resident.
    [51, [13, 18]],
    [54, [16, 18]],
    [56, [18, 18]],
    [70, [18, 18]],
    [40, [10, 10]],
  ])('with %i in use count as %j', (used, counted) => {
    expect(countedAt([first, second], used)).toEqual(counted);
    expect(countedAt([second, first], used)).toEqual([...counted].reverse());
  });

  it('count the later one in the list as loaded last where the load times are equal', () => {
    expect(countedAt([loaded(1, 20), loaded(1, 30)], 45)).toEqual([10, 15]);
  });

  it('count a resident without an observation as loaded last', () => {
    const unknown: ObservedResident = { footprint: print, observation: null };
    expect(countedAt([unknown, first], 43)).toEqual([10, 13]);
  });

  it('do not count the measured RAM of a process that was loaded later', () => {
    const measured: ObservedResident = {
      footprint: footprint({ anonymous: 10 }, null),
      observation: seen({}, { loadedAtMs: 2, processBytes: 14 }),
    };
    expect(countedAt([first, measured], 50)).toEqual([16, 14]);
  });
});

describe('the full charge of a resident', () => {
  // Use before the load: 20. Footprint: 10 anonymous and 5 mapped bytes. Growth: at most 8.
  const print = footprint({ mapped: 5, anonymous: 10 }, ramGrowth(8));
  const at = (
    used: number,
    growth: GrowthPolicy,
    facts: Parameters<typeof machine>[1] = {},
  ): ByPool =>
    bytesOf(
      chargeResidents(
        [{ footprint: print, observation: seen({ ram: 20 }) }],
        machine(used, facts),
        growth,
      )[0]?.full,
    );

  it.each<[used: number, growth: GrowthPolicy, ram: number]>([
    [30, 'ignore', 15],
    [34, 'ignore', 19],
    [99, 'ignore', 23],
    [30, 'reserve-share', 15 + share(8)],
    [30 + share(8), 'reserve-share', 15 + share(8)],
    [31 + share(8), 'reserve-share', 16 + share(8)],
    [30, 'charge', 23],
    [99, 'charge', 23],
  ])('with %i in use under the growth policy %s', (used, growth, ram) => {
    expect(at(used, growth)).toEqual({ ram });
  });

  it('counts mapped weights once where the OS counts them as used', () => {
    expect(at(39, 'ignore', { mappedCountsAsUsed: true })).toEqual({ ram: 19 });
  });

  it('is not below the expected size where its process takes less', () => {
    const observation = seen({}, { processBytes: 3 });
    const [charged] = chargeResidents([{ footprint: print, observation }], machine(30), 'ignore');
    expect(bytesOf(charged?.full)).toEqual({ ram: 15 });
    expect(bytesOf(charged?.counted)).toEqual({ ram: 3 });
    expect(bytesOf(charged?.grown)).toEqual({});
  });

  it.each<[used: number, others: number, use: number]>([
    [30, 20, 35],
    [34, 20, 39],
    [38, 20, 43],
    [50, 32, 55],
    // Others use 12 less than before the load.
    [18, 8, 23],
  ])('counts no use of others as growth: %i in use, %i by others', (used, others, use) => {
    const resources = machine(used);
    const charged = chargeResidents(
      [{ footprint: print, observation: seen({ ram: 20 }) }],
      resources,
      'ignore',
    );
    const [ram] = measurePools(resources, charged, DEFAULT_SELECTION_POLICY);
    expect(ram?.othersBytes).toBe(others);
    expect(ram === undefined ? null : useOf(ram)).toBe(use);
  });

  it('reports by how much a resident has grown', () => {
    const [charged] = chargeResidents(
      [{ footprint: print, observation: seen({ ram: 20 }) }],
      machine(34),
      'charge',
    );
    expect(bytesOf(charged?.grown)).toEqual({ ram: 4 });
    expect(bytesOf(charged?.reserved)).toEqual({ ram: 4 });
  });
});

it('measures the use of every pool whose total and available bytes are known', () => {
  const gpus = [
    gpu('card', 'dedicated', 60),
    gpu('igpu', 'shared', 90),
    gpu('hidden', 'dedicated', null),
  ];
  expect(usedBytes(machine(30, { gpus }))).toEqual([
    { pool: 'ram', bytes: 30 },
    { pool: 'gpu:card', bytes: 40 },
    { pool: 'gpu-share:igpu', bytes: 10 },
  ]);
  expect(usedBytes(machine(null))).toEqual([]);
});
