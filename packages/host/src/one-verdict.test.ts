import fc from 'fast-check';
import {
  charge,
  DEFAULT_LOAD_CONFIG,
  DEFAULT_SELECTION_POLICY,
  LIMIT,
  measurePools,
  chargeResident,
  type Footprint,
  type GpuResources,
  type Resources,
  type SelectionPolicy,
} from '@mai/memory-ledger';
import { selectModel, type Resident } from '@mai/selector';
import { poolsOverHardLimit } from '../../autopilot/src/switch/hard-limit.js';
import { fitsBudget } from '../../memory-estimator/src/search/budget.js';
import { canFit } from '../../resource-monitor/src/monitor/snapshot-questions.js';

const GIB = 1024 ** 3;
const bytes = (most: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: most });
const device = fc.constantFrom('card', 'twin', 'igpu', 'gone');

const footprint: fc.Arbitrary<Footprint> = fc
  .record({
    mapped: bytes(6 * GIB),
    anonymous: bytes(4 * GIB),
    gpus: fc.dictionary(device, bytes(3 * GIB), { maxKeys: 3 }),
    margin: fc.option(bytes(2 * GIB)),
  })
  .map(({ mapped, anonymous, gpus, margin }) => {
    const list = Object.entries(gpus).map(([deviceKey, taken]) => ({ deviceKey, bytes: taken }));
    const total = list.reduce((sum, one) => sum + one.bytes, mapped + anonymous);
    return {
      ram: { mappedBytes: mapped, anonymousBytes: anonymous },
      gpus: list,
      interval: margin === null ? null : { coverage: 0.9, lowBytes: 0, highBytes: total + margin },
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
  })
  .map((limits) => ({ ...DEFAULT_SELECTION_POLICY, ...limits }));

/** Pinned, so that no package may unload it to make room. */
const pinned = (print: Footprint, index: number): Resident => ({
  instanceIdentifier: `resident-${index}`,
  modelKey: `resident-${index}`,
  loadConfig: DEFAULT_LOAD_CONFIG,
  footprint: print,
  busy: false,
  pinned: true,
  foreign: true,
  lastUsedAtMs: null,
});

const situation = fc.record({
  resources: machine,
  policy,
  wanted: footprint,
  residents: fc.array(footprint, { maxLength: 2 }),
});

describe('all packages give the same verdict', () => {
  it("on whether a model fits: selector, monitor and the estimator's search", () => {
    let fitting = 0;
    fc.assert(
      fc.property(situation, ({ resources, policy: limits, wanted, residents }) => {
        const bySelector = select(resources, limits, wanted, residents).chosen !== null;
        const byMonitor = canFit(resources, wanted, { policy: limits, residents });
        const charged = residents.map((one) => chargeResident(one, resources));
        const bySearch = fitsBudget(wanted, {
          pools: measurePools(resources, charged, limits),
          devices: resources,
          limit: LIMIT,
          size: 'upper-end',
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
        const { pools } = select(resources, limits, wanted, residents);
        const over = pools.filter((pool) => pool.useBeforeBytes > pool.hardLimitBytes);
        const asResidents = residents.map(pinned);
        expect(poolsOverHardLimit(resources, asResidents, limits)).toEqual(
          over.map(({ pool }) => pool),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('on GPUs that the machine lacks: charged to RAM, and named', () => {
    fc.assert(
      fc.property(situation, ({ resources, policy: limits, wanted }) => {
        const { missingDeviceKeys } = charge(wanted, resources, 'upper-end');
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
  residents: readonly Footprint[],
): ReturnType<typeof selectModel> {
  return selectModel({
    candidates: [
      {
        modelKey: 'wanted',
        displayName: 'wanted',
        tier: 'medium',
        capabilities: [],
        downloaded: true,
        maxContextLengthTokens: null,
        loadOptions: [{ loadConfig: DEFAULT_LOAD_CONFIG, footprint: wanted, guardrails: null }],
        coolingDownUntilMs: null,
      },
    ],
    requirement: { capabilities: [], minContextLengthTokens: null, tiers: null },
    resources,
    residents: residents.map(pinned),
    policy: limits,
  });
}
