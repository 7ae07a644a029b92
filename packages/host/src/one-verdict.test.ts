import fc from 'fast-check';
import { NO_ESTIMATE, systemClock, type RuntimeInstance, type Yield } from '@mai/autopilot';
import {
  addCharges,
  charge,
  chargeLoad,
  chargeResidents,
  countedAsUsed,
  DEFAULT_LOAD_CONFIG,
  DEFAULT_SELECTION_POLICY,
  fits,
  HARD_LIMIT,
  isGpuShare,
  isOverLimit,
  LIMIT,
  measurePools,
  type Footprint,
  type GpuResources,
  type PoolName,
  type Resources,
  type SelectionPolicy,
} from '@mai/memory-ledger';
import { selectModel, type Resident, type Selection } from '@mai/selector';
import { MemoryPressure } from '../../autopilot/src/execution/memory-pressure.js';
import { poolsOverHardLimit } from '../../autopilot/src/pools/hard-limit.js';
import { footprintIfFits } from '../../autopilot/src/switch/roll-back.js';
import { limitsAfter } from '../../autopilot/src/timing/forecast.js';
import type { HysteresisObservation } from '../../autopilot/src/timing/hysteresis-state.js';
import {
  initialHysteresis,
  reduceHysteresis,
} from '../../autopilot/src/timing/reduce-hysteresis.js';
import { reserveMemory } from '../../autopilot/src/pools/reserve-memory.js';
import { fitsBudget } from '../../memory-estimator/src/search/budget.js';
import { canFit } from '../../resource-monitor/src/monitor/snapshot-questions.js';

const GIB = 1024 ** 3;
const bytes = (most: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: most });
const device = fc.constantFrom('card', 'twin', 'igpu', 'gone');

const byDevice = (taken: Readonly<Record<string, number>>): Footprint['gpus'] =>
  Object.entries(taken).map(([deviceKey, bytes]) => ({ deviceKey, bytes }));

const footprint: fc.Arbitrary<Footprint> = fc
  .record({
    mapped: bytes(6 * GIB),
    anonymous: bytes(4 * GIB),
    gpus: fc.dictionary(device, bytes(3 * GIB), { maxKeys: 3 }),
    margin: fc.option(bytes(2 * GIB)),
    growth: fc.option(
      fc.record({
        ram: bytes(4 * GIB),
        gpus: fc.dictionary(device, bytes(2 * GIB), { maxKeys: 2 }),
      }),
    ),
  })
  .map(({ mapped, anonymous, gpus, margin, growth }) => {
    const list = byDevice(gpus);
    const total = list.reduce((sum, one) => sum + one.bytes, mapped + anonymous);
    return {
      ram: { mappedBytes: mapped, anonymousBytes: anonymous },
      gpus: list,
      interval: margin === null ? null : { coverage: 0.9, lowBytes: 0, highBytes: total + margin },
      growth: growth && { ramBytes: growth.ram, gpus: byDevice(growth.gpus) },
      source: 'gguf-header',
      confidence: 'high',
    };
  });

const gpu = (deviceKey: string, memory: GpuResources['memory']): fc.Arbitrary<GpuResources> =>
  fc
    .tuple(bytes(24 * GIB), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([totalBytes, free]) => ({
      deviceKey,
      name: null,
      vendor: null,
      memory,
      totalBytes,
      availableBytes: Math.floor(totalBytes * free),
    }));

const machine: fc.Arbitrary<Resources> = fc
  .record({
    total: fc.integer({ min: 12 * GIB, max: 128 * GIB }),
    free: fc.double({ min: 0, max: 1, noNaN: true }),
    mappedCountsAsUsed: fc.constantFrom(true, false, null),
    unified: fc.boolean(),
    gpus: fc
      .tuple(gpu('card', 'dedicated'), gpu('twin', 'dedicated'), gpu('igpu', 'shared'))
      .chain((all) => fc.subarray(all)),
  })
  .map(({ total, free, mappedCountsAsUsed, unified, gpus }) => ({
    timestampMs: 0,
    observable: true,
    ram: { totalBytes: total, availableBytes: Math.floor(total * free), mappedCountsAsUsed },
    unified,
    gpus,
    cpu: { utilizationRatio: 0, othersRatio: 0 },
  }));

const policy: fc.Arbitrary<SelectionPolicy> = fc
  .record({
    memoryLimitRatio: fc.double({ min: 0.5, max: 0.95, noNaN: true }),
    vramLimitRatio: fc.double({ min: 0.5, max: 0.95, noNaN: true }),
    hardLimitRatio: fc.double({ min: 0.6, max: 1, noNaN: true }),
    unifiedHardLimitRatio: fc.double({ min: 0.6, max: 1, noNaN: true }),
    minHeadroomBytes: bytes(2 * GIB),
    growth: fc.constantFrom('charge' as const, 'reserve-share' as const, 'ignore' as const),
  })
  .map((limits) => ({ ...DEFAULT_SELECTION_POLICY, ...limits }));

/** Pinned, so that no package may unload it to make room. */
const pinned = (print: Footprint, index: number): Resident => ({
  instanceIdentifier: `resident-${index}`,
  modelKey: `resident-${index}`,
  loadConfig: DEFAULT_LOAD_CONFIG,
  footprint: print,
  busy: false,
  idleInMs: null,
  speed: null,
  pinned: true,
  foreign: true,
  lastUsedAtMs: null,
  observation: null,
});

const situation = fc.record({
  resources: machine,
  policy,
  wanted: footprint,
  residents: fc.array(footprint, { maxLength: 2 }),
});

const YIELD: Yield = {
  name: 'game',
  bytes: 0,
  pools: 'all',
  sinceMs: 0,
  untilMs: null,
  processId: null,
};

/** An instance that was unloaded and may be brought back. */
const UNLOADED: RuntimeInstance = {
  instanceIdentifier: 'wanted',
  modelKey: 'wanted',
  variant: null,
  sizeBytes: 0,
  contextLengthTokens: null,
  maxContextLengthTokens: null,
  ttlMs: null,
  lastUsedAtMs: null,
  deviceIdentifier: null,
  activity: 'idle',
  queued: 0,
  loadConfig: DEFAULT_LOAD_CONFIG,
  keepModelInMemory: null,
};

/** The first observation of a selection, without a forecast. */
const observed = (selection: Selection): HysteresisObservation => ({
  atMs: 0,
  selection,
  upgradeMarginRatio: 0,
  timeToHardLimitMs: null,
  reactionMs: 0,
});

/** The resources with less available in each pool. */
function withLess(resources: Resources, lessBytes: (pool: PoolName) => number): Resources {
  const { ram, gpus, unified } = resources;
  const left = (available: number | null, pool: PoolName): number | null =>
    available === null ? null : available - lessBytes(pool);
  return {
    ...resources,
    ram: { ...ram, availableBytes: left(ram.availableBytes, 'ram') },
    gpus: gpus.map((one) => {
      const kind = unified || one.memory === 'shared' ? 'gpu-share' : 'gpu';
      return { ...one, availableBytes: left(one.availableBytes, `${kind}:${one.deviceKey}`) };
    }),
  };
}

describe('all packages give the same verdict', () => {
  it("on whether a model fits: selector, monitor and the estimator's search", () => {
    let fitting = 0;
    fc.assert(
      fc.property(situation, ({ resources, policy: limits, wanted, residents }) => {
        const bySelector = select(resources, limits, wanted, residents.map(pinned)).chosen !== null;
        const byMonitor = canFit(resources, wanted, { policy: limits, residents });
        const charged = chargeResidents(residents.map(pinned), resources, limits.growth);
        const bySearch = fitsBudget(wanted, {
          pools: measurePools(resources, charged, limits),
          devices: resources,
          limit: LIMIT,
          size: 'upper-end',
          growth: limits.growth,
        });
        if (bySelector) fitting += 1;
        expect({ byMonitor, bySearch }).toEqual({ byMonitor: bySelector, bySearch: bySelector });
      }),
      { numRuns: 2000 },
    );
    // The random machines must yield both verdicts; otherwise the test proves nothing.
    expect(fitting).toBeGreaterThan(20);
    expect(fitting).toBeLessThan(1980);
  });

  it('on which pools are over the hard limit: selector and autopilot', () => {
    fc.assert(
      fc.property(situation, ({ resources, policy: limits, wanted, residents }) => {
        const { pools } = select(resources, limits, wanted, residents.map(pinned));
        const over = pools.filter((pool) => pool.useBeforeBytes > pool.hardLimitBytes);
        const asResidents = residents.map(pinned);
        expect(poolsOverHardLimit(resources, asResidents, limits)).toEqual(
          over.map(({ pool }) => pool),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('on whether memory is about to run out: selector, memory pressure and hysteresis', () => {
    const seen = { emergency: 0, exhausted: 0 };
    fc.assert(
      fc.property(situation, ({ resources, policy: limits, wanted, residents }) => {
        const selection = select(resources, limits, wanted, residents.map(pinned));
        const over = selection.pools.filter((pool) => pool.useBeforeBytes > pool.hardLimitBytes);
        const pressure = new MemoryPressure(systemClock, () => ({
          emergencyDrainMs: Number.POSITIVE_INFINITY,
          criticalDrainMs: 0,
        }));
        const asResidents = residents.map(pinned);
        expect(pressure.observe(resources, asResidents, limits)).toEqual(
          over.map(({ pool }) => pool),
        );
        expect(pressure.isOverHardLimit).toBe(over.length > 0);
        // Where a pool is used up, the time to drain is over. It can be over only above the hard limit.
        const usedUp = selection.pools.some((pool) => pool.useBeforeBytes > pool.totalBytes);
        if (usedUp) expect(pressure.isDrainOver).toBe(true);
        if (pressure.isDrainOver) expect(over).not.toEqual([]);
        const down: Selection = { ...selection, decision: 'release', direction: 'down' };
        const { verdict } = reduceHysteresis(initialHysteresis(), observed(down), limits);
        expect(verdict.reason === 'EMERGENCY').toBe(over.length > 0);
        if (over.length > 0) seen.emergency += 1;
        if (pressure.isDrainOver) seen.exhausted += 1;
      }),
      { numRuns: 1000 },
    );
    expect(seen.emergency).toBeGreaterThan(20);
    expect(seen.emergency).toBeLessThan(980);
    expect(seen.exhausted).toBeGreaterThan(20);
  });

  it('on whether a model fits with yielded memory: as if others used that memory', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        situation,
        bytes(2 * GIB),
        fc.constantFrom('all', 'ram', 'gpu'),
        ({ resources, policy: limits, wanted, residents }, held, kinds) => {
          const charged = chargeResidents(residents.map(pinned), resources, limits.growth);
          const pools = measurePools(resources, charged, limits);
          // Where the residents' charges exceed the use of a pool, the others' use is not known.
          fc.pre(pools.every((pool) => pool.othersBytes > 0));
          const yielded: Yield = { ...YIELD, bytes: held, pools: kinds };
          const asResidents = residents.map(pinned);
          const observation = { resources, residents: asResidents, policy: limits };
          const reserved = reserveMemory(observation, [yielded], {}).resources;
          const withYield = pools.map((pool) => {
            const concerned = kinds === 'all' || (kinds === 'ram') === (pool.name === 'ram');
            return concerned && !isGpuShare(pool.name)
              ? { ...pool, othersBytes: pool.othersBytes + held }
              : pool;
          });
          const needed = chargeLoad(wanted, resources, limits.growth);
          const expected = {
            beside: fits(withYield, needed, { limit: LIMIT }),
            instead: fits(withYield, needed, {
              limit: LIMIT,
              freed: addCharges(charged.map((one) => one.full)),
            }),
          };
          seen.add(JSON.stringify(expected));
          const evictable = asResidents.map((one) => ({ ...one, pinned: false, foreign: false }));
          expect({
            beside: select(reserved, limits, wanted, asResidents).chosen !== null,
            instead: select(reserved, limits, wanted, evictable).chosen !== null,
          }).toEqual(expected);
          expect(poolsOverHardLimit(reserved, asResidents, limits)).toEqual(
            withYield.filter((pool) => isOverLimit(pool, HARD_LIMIT)).map(({ name }) => name),
          );
        },
      ),
      { numRuns: 4000 },
    );
    expect(seen.size).toBe(3);
  });

  it('on whether a model fits while use rises: a model that fits below the lowered limits still fits later', () => {
    let fitting = 0;
    fc.assert(
      fc.property(
        situation,
        fc.array(bytes(2 * GIB), { minLength: 4, maxLength: 4 }),
        ({ resources, policy: drawn, wanted, residents }, growth) => {
          // With limits this high, the minimum headroom is often the tighter bound.
          const limits = { ...drawn, memoryLimitRatio: 0.95, vramLimitRatio: 0.95 };
          const { pools } = select(resources, limits, wanted, residents.map(pinned));
          const grown = new Map(
            pools.map(({ pool }, index) => [pool, growth[index] ?? 0] as const),
          );
          const forecast = { timeToHardLimitMs: 0, slopes: grown };
          const lowered = limitsAfter(limits, forecast, pools, 1);
          if (select(resources, lowered, wanted, residents.map(pinned)).chosen === null) return;
          fitting += 1;
          const charged = chargeResidents(residents.map(pinned), resources, limits.growth);
          const later = measurePools(resources, charged, limits).map((pool) =>
            isGpuShare(pool.name)
              ? pool
              : { ...pool, othersBytes: pool.othersBytes + (grown.get(pool.name) ?? 0) },
          );
          const needed = chargeLoad(wanted, resources, limits.growth);
          expect(fits(later, needed, { limit: LIMIT })).toBe(true);
        },
      ),
      { numRuns: 3000 },
    );
    expect(fitting).toBeGreaterThan(20);
  });

  it('on the hard limit of a load: selector, roll-back, and the check after the load', async () => {
    const seen = new Set<boolean>();
    await fc.assert(
      fc.asyncProperty(situation, async ({ resources, policy: limits, wanted, residents }) => {
        const exact: Footprint = { ...wanted, interval: null };
        const asResidents = residents.map(pinned);
        const hard = resources.unified ? limits.unifiedHardLimitRatio : limits.hardLimitRatio;
        const atHardLimit: SelectionPolicy = {
          ...limits,
          memoryLimitRatio: hard,
          vramLimitRatio: limits.hardLimitRatio,
          minHeadroomBytes: 0,
        };
        const bySelector = select(resources, atHardLimit, exact, asResidents).chosen !== null;
        const estimator = { estimate: async () => ({ ...NO_ESTIMATE, footprint: exact }) };
        const byRollBack = await footprintIfFits(
          { estimator },
          { resources, residents: asResidents, policy: limits },
          UNLOADED,
          null,
        );
        // After the load, the OS counts the load as used.
        const taken = countedAsUsed(exact, resources);
        const loaded = withLess(resources, (pool) => taken.get(pool) ?? 0);
        const over = poolsOverHardLimit(
          loaded,
          [...asResidents, { footprint: exact, observation: null }],
          limits,
        );
        const needed = chargeLoad(exact, resources, limits.growth);
        const byCheck = !over.some((pool) => (needed.get(pool) ?? 0) > 0);
        seen.add(bySelector);
        expect({ byRollBack: byRollBack !== null, byCheck }).toEqual({
          byRollBack: bySelector,
          byCheck: bySelector,
        });
      }),
      { numRuns: 1000 },
    );
    expect(seen.size).toBe(2);
  });

  it('on GPUs that the machine lacks: charged to RAM, and named', () => {
    fc.assert(
      fc.property(situation, ({ resources, policy: limits, wanted }) => {
        const { missingDeviceKeys } = charge(wanted, resources, 'upper-end', limits.growth);
        const { chosen, notes } = select(resources, limits, wanted, []);
        const named = notes.flatMap((note) => (note.code === 'GPU_UNKNOWN' ? note.deviceKey : []));
        const missing = missingDeviceKeys.filter((key) =>
          wanted.gpus.some((one) => one.deviceKey === key && one.bytes > 0),
        );
        if (chosen !== null) expect(named).toEqual(missing);
      }),
    );
  });
});

function select(
  resources: Resources,
  limits: SelectionPolicy,
  wanted: Footprint,
  residents: readonly Resident[],
): Selection {
  return selectModel({
    candidates: [
      {
        modelKey: 'wanted',
        displayName: 'wanted',
        tier: 'medium',
        capabilities: [],
        downloaded: true,
        refusal: null,
        expandedFrom: null,
        maxContextLengthTokens: null,
        loadOptions: [
          {
            loadConfig: DEFAULT_LOAD_CONFIG,
            footprint: wanted,
            guardrails: null,
            speed: null,
            quality: null,
          },
        ],
        coolingDownUntilMs: null,
        observedGrowth: [],
      },
    ],
    requirement: { capabilities: [], minContextLengthTokens: null, tiers: null },
    resources,
    residents,
    policy: limits,
  });
}
