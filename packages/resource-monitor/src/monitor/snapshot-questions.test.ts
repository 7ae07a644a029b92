import type { Footprint, Resources } from '@mai/memory-ledger';
import {
  chargeLoad,
  chargeResidents,
  DEFAULT_SELECTION_POLICY,
  fits,
  LIMIT,
  measurePools,
} from '@mai/memory-ledger';
import fc from 'fast-check';
import { snapshotWith } from '../../test/snapshot-with.js';
import type { ResourceSnapshot } from '../snapshot.js';
import { canFit, isOverloaded } from './snapshot-questions.js';

const GIB = 1024 ** 3;

/** This compiles only if a snapshot has the type that the ledger reads. */
type Satisfies<Producer extends Consumer, Consumer> = Producer;
export type SnapshotIsResources = Satisfies<ResourceSnapshot, Resources>;

function footprint(parts: {
  readonly mapped?: number;
  readonly anonymous?: number;
  readonly gpus?: Footprint['gpus'];
  readonly highBytes?: number;
  readonly growth?: number;
}): Footprint {
  const { mapped = 0, anonymous = 0, gpus = [], highBytes, growth = 0 } = parts;
  return {
    ram: { mappedBytes: mapped, anonymousBytes: anonymous },
    gpus,
    interval: highBytes === undefined ? null : { coverage: 0.9, lowBytes: 0, highBytes },
    growth: { ramBytes: growth, gpus: [] },
    source: 'measured',
    confidence: 'high',
  };
}

describe('canFit', () => {
  // 32 GiB with 16 GiB in use, and a limit of 0.8: floor(25.6 GiB) - 16 GiB are left.
  const ROOM = Math.floor(0.8 * 32 * GIB) - 16 * GIB;

  it.each([
    [-1, true],
    [0, true],
    [1, false],
  ])(
    'compares with the limit, not with the available memory: %i bytes above the limit gives %s',
    (above, verdict) => {
      expect(canFit(snapshotWith(), footprint({ anonymous: ROOM + above }))).toBe(verdict);
    },
  );

  it('charges mapped weights and the upper end of the interval in full', () => {
    expect(canFit(snapshotWith(), footprint({ mapped: ROOM }))).toBe(true);
    expect(canFit(snapshotWith(), footprint({ mapped: ROOM, highBytes: ROOM + 1 }))).toBe(false);
  });

  it('uses the limits of the given policy', () => {
    const policy = { ...DEFAULT_SELECTION_POLICY, memoryLimitRatio: 1, minHeadroomBytes: 0 };
    expect(canFit(snapshotWith(), footprint({ anonymous: 16 * GIB }), { policy })).toBe(true);
    expect(canFit(snapshotWith(), footprint({ anonymous: 16 * GIB + 1 }), { policy })).toBe(false);
  });

  it('counts the mapped weights of residents, which Linux reports as available', () => {
    const residents = [footprint({ mapped: GIB }), null];
    expect(canFit(snapshotWith(), footprint({ anonymous: ROOM - GIB }), { residents })).toBe(true);
    expect(canFit(snapshotWith(), footprint({ anonymous: ROOM - GIB + 1 }), { residents })).toBe(
      false,
    );
  });

  it('charges bytes of a GPU that does not exist to RAM', () => {
    const onGpu = (bytes: number) => footprint({ gpus: [{ deviceKey: 'gone', bytes }] });
    expect(canFit(snapshotWith(), onGpu(ROOM))).toBe(true);
    expect(canFit(snapshotWith(), onGpu(ROOM + 1))).toBe(false);
  });

  it('is null if a charged pool is not measured and no pool is too small', () => {
    const snapshot = snapshotWith({ gpus: [{ deviceKey: 'a', availableBytes: null }] });
    const with4GiB = (anonymous: number) =>
      footprint({ anonymous, gpus: [{ deviceKey: 'a', bytes: 4 * GIB }] });
    expect(canFit(snapshot, with4GiB(0))).toBeNull();
    expect(canFit(snapshot, with4GiB(ROOM + 1))).toBe(false);
    expect(canFit(snapshot, footprint({ anonymous: 1 }))).toBe(true);
    expect(canFit(snapshotWith({ availableBytes: null }), footprint({ anonymous: 1 }))).toBeNull();
  });

  it('agrees with the ledger on measured machines', () => {
    const gibibytes = fc.integer({ min: 0, max: 40 * GIB });
    const model = fc
      .record({ mapped: gibibytes, anonymous: gibibytes, onGpu: gibibytes, growth: gibibytes })
      .map(({ mapped, anonymous, onGpu, growth }) =>
        footprint({ mapped, anonymous, gpus: [{ deviceKey: 'gpu-0', bytes: onGpu }], growth }),
      );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 32 * GIB }),
        fc.integer({ min: 0, max: 8 * GIB }),
        fc.array(fc.option(model), { maxLength: 3 }),
        model,
        (availableBytes, gpuAvailableBytes, residents, wanted) => {
          const snapshot = snapshotWith({
            availableBytes,
            gpus: [{ availableBytes: gpuAvailableBytes }],
          });
          const pools = measurePools(
            snapshot,
            chargeResidents(
              residents.map((one) => ({ footprint: one, observation: null })),
              snapshot,
              DEFAULT_SELECTION_POLICY.growth,
            ),
            DEFAULT_SELECTION_POLICY,
          );
          const needed = chargeLoad(wanted, snapshot, DEFAULT_SELECTION_POLICY.growth);
          expect(canFit(snapshot, wanted, { residents })).toBe(
            fits(pools, needed, { limit: LIMIT }),
          );
        },
      ),
    );
  });
});

describe('isOverloaded', () => {
  const LIMIT_BYTES = Math.floor(0.8 * 32 * GIB);

  it.each([
    [-1, false],
    [0, false],
    [1, true],
  ])('checks RAM: %i bytes above the limit gives %s', (above, verdict) => {
    const availableBytes = 32 * GIB - LIMIT_BYTES - above;
    expect(isOverloaded(snapshotWith({ availableBytes }))).toBe(verdict);
  });

  it('checks the memory of each GPU and the CPU, too', () => {
    const limitBytes = Math.min(Math.floor(0.9 * 8 * GIB), 7 * GIB);
    const gpu = (availableBytes: number | null) => snapshotWith({ gpus: [{}, { availableBytes }] });
    expect(isOverloaded(gpu(8 * GIB - limitBytes))).toBe(false);
    expect(isOverloaded(gpu(8 * GIB - limitBytes - 1))).toBe(true);
    expect(isOverloaded(snapshotWith({ cpuRatio: 0.8 }))).toBe(false);
    expect(isOverloaded(snapshotWith({ cpuRatio: 0.81 }))).toBe(true);
  });

  it('ignores figures that are not known', () => {
    const snapshot = snapshotWith({
      availableBytes: null,
      cpuRatio: null,
      gpus: [{ availableBytes: null }, { totalBytes: null, availableBytes: null }],
    });
    expect(isOverloaded(snapshot)).toBe(false);
  });

  it('uses the limits of the given policy', () => {
    const policy = { ...DEFAULT_SELECTION_POLICY, memoryLimitRatio: 0.4 };
    expect(isOverloaded(snapshotWith(), { policy })).toBe(true);
  });
});
