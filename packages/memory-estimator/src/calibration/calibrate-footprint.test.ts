import type { Footprint } from '@mai/memory-ledger';
import fc from 'fast-check';
import { ENGINE, footprintOf, GIB, MIB, observed } from '../../test/footprints.js';
import { ONE_SEQUENCE } from '../../test/load-config.js';
import { calibrateFootprint } from './calibrate-footprint.js';

const TARGET = { modelKey: 'a', loadConfig: ONE_SEQUENCE, engine: ENGINE };
const LONGER = { ...ONE_SEQUENCE, contextLengthTokens: 65_536 };
const widthOf = ({ interval }: Footprint): number =>
  (interval?.highBytes ?? 0) - (interval?.lowBytes ?? 0);
const anonymousMiB = ({ ram }: Footprint): number => ram.anonymousBytes / MIB;

describe('a measured load', () => {
  test('gets the median of its measurements, and the exact mapped weights', () => {
    const calibrated = calibrateFootprint(footprintOf(4000, 1000), TARGET, [
      observed('a', 1000, 1180),
      observed('a', 1000, 1200),
      observed('a', 1000, 9000),
    ]);
    expect(calibrated).toMatchObject({
      ram: { mappedBytes: 4000 * MIB, anonymousBytes: 1200 * MIB },
      source: 'measured',
      confidence: 'high',
    });
    expect(calibrated.interval?.lowBytes).toBeLessThan(5200 * MIB);
    expect(calibrated.interval?.highBytes).toBeGreaterThan(5200 * MIB);
  });

  test('gets a wide interval and medium confidence from free memory', () => {
    const roughly = observed('a', 1000, 1200, {
      measured: { anonymousBytes: 1200 * MIB, gpus: [], method: 'free-memory' },
    });
    const rough = calibrateFootprint(footprintOf(4000, 1000), TARGET, [roughly]);
    const sure = calibrateFootprint(footprintOf(4000, 1000), TARGET, [observed('a', 1000, 1200)]);
    expect(rough).toMatchObject({ source: 'measured', confidence: 'medium' });
    expect(widthOf(rough)).toBeGreaterThan(4 * widthOf(sure));
    const both = calibrateFootprint(footprintOf(4000, 1000), TARGET, [
      roughly,
      roughly,
      observed('a', 1000, 1100),
    ]);
    expect(anonymousMiB(both)).toBe(1100);
  });

  test('keeps the upper distance of the estimate where only printed buffers are known', () => {
    const printed = observed('a', 1000, 1100, {
      measured: { anonymousBytes: 1100 * MIB, gpus: [], method: 'buffers' },
    });
    const estimate = {
      ...footprintOf(4000, 1000),
      interval: { coverage: 0.9, lowBytes: 4900 * MIB, highBytes: 5700 * MIB },
    };
    const calibrated = calibrateFootprint(estimate, TARGET, [printed]);
    expect(calibrated).toMatchObject({ source: 'measured', confidence: 'high' });
    expect(anonymousMiB(calibrated)).toBe(1100);
    expect(calibrated.interval?.highBytes).toBe(5800 * MIB);
    const other = observed('b', 1000, 1100, { measured: printed.measured });
    const neighbour = calibrateFootprint(estimate, TARGET, [other]);
    expect(neighbour.interval?.highBytes).toBeGreaterThanOrEqual(5750 * MIB);
  });

  test('uses loads that were measured whole, not printed buffers', () => {
    const printed = observed('a', 1000, 1100, {
      measured: { anonymousBytes: 1100 * MIB, gpus: [], method: 'buffers' },
    });
    const whole = observed('a', 1000, 1300);
    const calibrated = calibrateFootprint(footprintOf(4000, 1000), TARGET, [printed, whole]);
    expect(anonymousMiB(calibrated)).toBe(1300);
  });

  test('ignores observations of another engine, and treats observations of another version as neighbours', () => {
    const footprint = footprintOf(4000, 1000);
    const elsewhere = observed('a', 1000, 1500, { engine: { ...ENGINE, name: 'llama.cpp-cuda' } });
    expect(calibrateFootprint(footprint, TARGET, [elsewhere])).toBe(footprint);
    const older = observed('a', 1000, 1500, { engine: { ...ENGINE, version: '1.49.0' } });
    const calibrated = calibrateFootprint(footprint, TARGET, [older]);
    expect(calibrated.source).toBe('gguf-header');
    expect(anonymousMiB(calibrated)).toBe(1250);
    const now = observed('a', 1000, 1500, { config: LONGER });
    const thisVersion = calibrateFootprint(footprint, TARGET, [now]);
    expect(widthOf(calibrated)).toBeGreaterThan(widthOf(thisVersion));
  });

  test('gets a new footprint, without the total and the parts of the estimate', () => {
    const estimate = { ...footprintOf(4000, 1000), totalBytes: 5000 * MIB, parts: {} };
    for (const modelKey of ['a', 'b']) {
      const calibrated = calibrateFootprint(estimate, TARGET, [observed(modelKey, 1000, 1200)]);
      expect(Object.keys(calibrated).sort()).toEqual([
        'confidence',
        'gpus',
        'growth',
        'interval',
        'ram',
        'source',
      ]);
    }
  });

  test.each([
    ['of another file under the same key', { anonymousBytes: 800 * MIB, gpus: [] }],
    ['with a GPU', { anonymousBytes: 1000 * MIB, gpus: [{ deviceKey: 'gpu', bytes: GIB }] }],
  ])('treats the same load %s as a neighbour', (_, predicted) => {
    const seen = observed('a', 1000, 500, { predicted });
    const { source, ram } = calibrateFootprint(footprintOf(4000, 1000), TARGET, [seen]);
    expect(source).toBe('gguf-header');
    expect(ram.anonymousBytes).toBeGreaterThanOrEqual(750 * MIB);
  });

  test('has a measurement of each GPU', () => {
    const footprint = {
      ...footprintOf(100, 300),
      gpus: [{ deviceKey: 'GPU-1', bytes: 4 * GIB }],
    };
    const load = observed('a', 300, 350, {
      predicted: { anonymousBytes: 300 * MIB, gpus: [{ deviceKey: 'GPU-1', bytes: 4 * GIB }] },
      measured: {
        anonymousBytes: 350 * MIB,
        gpus: [{ deviceKey: 'GPU-1', bytes: 4.5 * GIB }],
        method: 'process',
      },
    });
    expect(calibrateFootprint(footprint, TARGET, [load])).toMatchObject({
      ram: { anonymousBytes: 350 * MIB },
      gpus: [{ deviceKey: 'GPU-1', bytes: 4.5 * GIB }],
      source: 'measured',
    });
    // A reading without that GPU is not a measurement of the load.
    const without = { ...load, measured: { ...load.measured, gpus: [] } };
    expect(calibrateFootprint(footprint, TARGET, [without]).source).toBe('gguf-header');
  });
});

describe('a load with measured neighbours', () => {
  test('is shifted by the median of their errors', () => {
    const neighbours = [
      observed('b', 500, 700),
      observed('c', 2000, 2210),
      observed('d', 800, 990),
      // An outlier.
      observed('e', 800, 6000),
    ];
    const calibrated = calibrateFootprint(footprintOf(4000, 1000), TARGET, neighbours);
    expect(calibrated.source).toBe('gguf-header');
    expect(anonymousMiB(calibrated)).toBeGreaterThan(1150);
    expect(anonymousMiB(calibrated)).toBeLessThan(1210);
    expect(calibrated.interval?.highBytes).toBeGreaterThan(5205 * MIB);
  });

  test('is shifted more by the same model at another context length than by other models', () => {
    const calibrated = calibrateFootprint(footprintOf(4000, 1000), TARGET, [
      observed('a', 3000, 3100, { config: LONGER }),
      observed('b', 500, 900),
      observed('c', 500, 900),
    ]);
    expect(anonymousMiB(calibrated)).toBeLessThan(1100);
  });

  test('is shifted by half of the error of one neighbour, and its interval contains the whole error', () => {
    const calibrated = calibrateFootprint(footprintOf(4000, 1000), TARGET, [
      observed('b', 1000, 1400),
    ]);
    expect(anonymousMiB(calibrated)).toBe(1200);
    expect(calibrated.interval?.highBytes).toBeGreaterThan(5400 * MIB);
  });

  test('keeps a wide interval at low confidence, unless the same model was measured', () => {
    const guess = { ...footprintOf(4000, 1000), confidence: 'low' as const };
    const others = Array.from({ length: 9 }, (_, index) => observed(`m${index}`, 1000, 1100));
    expect(widthOf(calibrateFootprint(guess, TARGET, others))).toBeGreaterThan(widthOf(guess));
    const own = observed('a', 2000, 2100, { config: LONGER });
    expect(widthOf(calibrateFootprint(guess, TARGET, [...others, own]))).toBeLessThan(
      widthOf(guess),
    );
  });

  test('has no wider an interval because of a large overestimate than a pool of its size may shrink', () => {
    // Errors of -5,000 and 0 MiB; for a pool of 200 MiB they are -200 and 0, so both lie 100 MiB from the median.
    const neighbours = [observed('large', 6000, 1000), observed('exact', 2000, 2000)];
    const { ram, interval } = calibrateFootprint(footprintOf(0, 200), TARGET, neighbours);
    // A quarter of the pool, 50 MiB, times n / (n + 1).
    expect(ram.anonymousBytes / MIB).toBeCloseTo(200 - (50 * 2) / 3, 3);
    // 2.44 * 100 MiB * sqrt(1 + 1 / 2) = 299 MiB, and the drift of versions.
    const upMiB = ((interval?.highBytes ?? 0) - ram.anonymousBytes) / MIB;
    expect(upMiB).toBeGreaterThan(298);
    expect(upMiB).toBeLessThan(310);
    expect(interval?.lowBytes).toBe(0);
  });

  test('is corrected on a GPU by loads on that GPU only', () => {
    const footprint = { ...footprintOf(100, 300), gpus: [{ deviceKey: 'GPU-1', bytes: 4 * GIB }] };
    const on = (deviceKey: string) =>
      observed('b', 300, 300, {
        predicted: { anonymousBytes: 300 * MIB, gpus: [{ deviceKey, bytes: 2 * GIB }] },
        measured: {
          anonymousBytes: 300 * MIB,
          gpus: [{ deviceKey, bytes: 2.5 * GIB }],
          method: 'process',
        },
      });
    const [here] = calibrateFootprint(footprint, TARGET, [on('GPU-1')]).gpus;
    expect(here?.bytes).toBe(4.25 * GIB);
    const [other] = calibrateFootprint(footprint, TARGET, [on('GPU-2')]).gpus;
    expect(other?.bytes).toBe(4 * GIB);
  });

  test('is independent of the order of observations, and its interval contains the estimate', () => {
    const readings = fc.array(
      fc.record({
        modelKey: fc.constantFrom('a', 'b', 'c'),
        predicted: fc.integer({ min: 0, max: 40_000 }),
        measured: fc.integer({ min: 0, max: 40_000 }),
        longer: fc.boolean(),
        version: fc.constantFrom('1.50.2', '1.49.0'),
      }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(readings, fc.integer({ min: 0, max: 9000 }), (facts, anonymous) => {
        const seen = facts.map((one) =>
          observed(one.modelKey, one.predicted, one.measured, {
            config: one.longer ? LONGER : ONE_SEQUENCE,
            engine: { ...ENGINE, version: one.version },
          }),
        );
        const calibrated = calibrateFootprint(footprintOf(4000, anonymous), TARGET, seen);
        const total = calibrated.ram.mappedBytes + calibrated.ram.anonymousBytes;
        expect(calibrated.ram.mappedBytes).toBe(4000 * MIB);
        expect(calibrated.ram.anonymousBytes).toBeGreaterThanOrEqual(0);
        expect(calibrated.interval?.lowBytes).toBeLessThanOrEqual(total);
        expect(calibrated.interval?.highBytes).toBeGreaterThanOrEqual(total);
        const reversed = calibrateFootprint(
          footprintOf(4000, anonymous),
          TARGET,
          [...seen].reverse(),
        );
        expect(reversed).toEqual(calibrated);
      }),
      { numRuns: 500 },
    );
  });

  test('is shifted by a limited number of bytes', () => {
    const wild = (measuredMiB: number) =>
      anonymousMiB(
        calibrateFootprint(
          footprintOf(4000, 1000),
          TARGET,
          Array.from({ length: 9 }, (_, index) => observed(`m${index}`, 1000, measuredMiB)),
        ),
      );
    expect(wild(1_000_000)).toBeLessThanOrEqual(1000 + 1536);
    expect(wild(0)).toBeGreaterThanOrEqual(750);
  });
});
