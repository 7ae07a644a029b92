import { DEFAULT_SELECTION_POLICY, type PoolName } from '@mai/memory-ledger';
import type { PoolOutcome } from '@mai/selector';
import fc from 'fast-check';
import { addUse, forecastUse, limitsAfter, type UseSamples } from './forecast.js';

const GIB = 1024 ** 3;
const pool = (othersBytes: number): PoolOutcome => ({
  pool: 'ram',
  totalBytes: 32 * GIB,
  othersBytes,
  useBeforeBytes: othersBytes + 4 * GIB,
  useAfterBytes: othersBytes + 4 * GIB,
  headroomBytes: 28 * GIB - othersBytes,
  limitRatio: 0.8,
  limitBytes: Math.floor(0.8 * 32 * GIB),
  hardLimitRatio: 0.75,
  hardLimitBytes: 24 * GIB,
  reclaimableBytes: 0,
  growthBytes: 0,
});
const forecast = (usesBytes: readonly number[]): number | null => {
  let samples: UseSamples = [];
  let pools: PoolOutcome[] = [];
  for (const [index, bytes] of usesBytes.entries()) {
    pools = [pool(bytes)];
    samples = addUse(samples, index * 1000, pools);
  }
  return forecastUse(samples, pools)?.timeToHardLimitMs ?? null;
};

describe('forecastUse', () => {
  // The hard limit is 24 GiB and 4 GiB are ours: others reach it at 20 GiB.
  it('forecasts when a ramp reaches the hard limit', () => {
    expect(forecast([10, 10.5, 11, 11.5, 12, 12.5].map((gib) => gib * GIB))).toBe(15_000);
  });

  it('counts the growth of our residents, but not as growth of others', () => {
    let samples: UseSamples = [];
    let pools: PoolOutcome[] = [];
    for (let second = 0; second < 6; second += 1) {
      const useBeforeBytes = (14 + second / 2) * GIB;
      pools = [{ ...pool(10 * GIB), useBeforeBytes }];
      samples = addUse(samples, second * 1000, pools);
    }
    // 7.5 GiB are left below the hard limit of 24 GiB, at half a GiB a second.
    expect(forecastUse(samples, pools)).toEqual({ timeToHardLimitMs: 15_000, slopes: new Map() });
  });

  it('does not take two programs that start one after the other for a ramp', () => {
    // 1 and 1.7 GiB within six seconds. In a random trace, this looked like a ramp and led to a flap.
    const uses = [11.5, 11.5, 12.5, 12.5, 12.5, 12.5, 12.5, 14.2, 14.2];
    expect(forecast(uses.map((gib) => (gib + 5) * GIB))).toBeNull();
  });

  it('changes little with a single spike', () => {
    const ramp = [10, 10.5, 11, 18, 12, 12.5, 13, 13.5, 14].map((gib) => gib * GIB);
    expect(Math.abs((forecast(ramp) ?? 0) - 12_000)).toBeLessThan(1500);
  });

  it.each([
    ['too few samples', [10, 11, 12, 13]],
    ['no change', [10, 10, 10, 10, 10, 10]],
    ['a fall', [15, 14, 13, 12, 11, 10]],
    ['noise', [10, 10.6, 9.9, 10.5, 10, 10.6]],
    ['a step', [10, 10, 10, 10, 10, 10, 10, 14]],
    ['a rise too small to matter', [10, 10.1, 10.2, 10.3, 10.4, 10.5]],
  ])('gives no forecast for %s', (_, gib) => {
    expect(forecast(gib.map((one) => one * GIB))).toBeNull();
  });

  it('is zero over the hard limit, and never negative', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40 * 1024), { maxLength: 60 }), (mib) => {
        const timeMs = forecast(mib.map((one) => one * 1024 * 1024));
        expect(timeMs === null || timeMs >= 0).toBe(true);
      }),
    );
  });
});

describe('limitsAfter', () => {
  const SECOND = 1000;
  // One pool grows by half a GiB a second. The limits are those for a horizon of 4 s.
  const grows = (grown: PoolName, totalGib: number) => {
    const pools = (['ram', 'gpu:a', 'gpu:b', 'gpu-share:c'] as const).map((name) => ({
      ...pool(0),
      pool: name,
      totalBytes: totalGib * GIB,
    }));
    const slopes = new Map([[grown, (0.5 * GIB) / SECOND]]);
    const forecast = { timeToHardLimitMs: 0, slopes };
    return limitsAfter(DEFAULT_SELECTION_POLICY, forecast, pools, 4 * SECOND);
  };
  it.each([
    // 80 % and 90 % of 32 GiB, less the 2 GiB of growth.
    ['RAM', 'ram', 32, 0.8 - 2 / 32, 0.9],
    ['a GPU', 'gpu:b', 32, 0.8, 0.9 - 2 / 32],
    // The minimum headroom of 1 GiB leaves 3 of 4 GiB in RAM, and 7 of 8 GiB on a GPU.
    ['RAM whose limit is the minimum headroom', 'ram', 4, (3 - 2) / 4, 0.9],
    ['a GPU whose limit is the minimum headroom', 'gpu:a', 8, 0.8, (7 - 2) / 8],
    ['RAM, but not below 0', 'ram', 2, 0, 0.9],
    ['no limit for shared GPU memory, which is counted in RAM', 'gpu-share:c', 32, 0.8, 0.9],
  ] as const)(
    'lowers the right limit: %s',
    (_, grown, totalGib, memoryLimitRatio, vramLimitRatio) => {
      const limits = grows(grown, totalGib);
      expect(limits.memoryLimitRatio).toBeCloseTo(memoryLimitRatio, 8);
      expect(limits.vramLimitRatio).toBeCloseTo(vramLimitRatio, 8);
    },
  );
});
