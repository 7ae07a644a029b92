import { ENGINE, footprintOf, GIB, MIB, observed } from '../../test/footprints.js';
import { ONE_SEQUENCE } from '../../test/load-config.js';
import type { Footprint } from '../estimate/footprint.js';
import { calibrateFootprint } from './calibrate-footprint.js';

const TARGET = { modelKey: 'a', loadConfig: ONE_SEQUENCE, engine: ENGINE };
const LONGER = { ...ONE_SEQUENCE, contextLengthTokens: 65_536 };
const anonymousMiB = ({ ram }: Footprint): number => ram.anonymousBytes / MIB;

describe('the very load was measured', () => {
  test('its median stands; mapped weights stay the exact sum', () => {
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

  test('what free memory showed counts for less, within a wide interval', () => {
    const roughly = observed('a', 1000, 1200, {
      measured: { anonymousBytes: 1200 * MIB, gpus: [], method: 'free-memory' },
    });
    const rough = calibrateFootprint(footprintOf(4000, 1000), TARGET, [roughly]);
    const sure = calibrateFootprint(footprintOf(4000, 1000), TARGET, [observed('a', 1000, 1200)]);
    const width = ({ interval }: Footprint) =>
      (interval?.highBytes ?? 0) - (interval?.lowBytes ?? 0);
    expect(rough).toMatchObject({ source: 'measured', confidence: 'medium' });
    expect(width(rough)).toBeGreaterThan(4 * width(sure));
    const both = calibrateFootprint(footprintOf(4000, 1000), TARGET, [
      roughly,
      roughly,
      observed('a', 1000, 1100),
    ]);
    expect(anonymousMiB(both)).toBe(1100);
  });

  test('another engine or version says nothing', () => {
    const footprint = footprintOf(4000, 1000);
    const other = observed('a', 1000, 1500, { engine: { ...ENGINE, version: '1.51.0' } });
    expect(calibrateFootprint(footprint, TARGET, [other])).toEqual(footprint);
  });

  test('on GPUs each is measured for itself', () => {
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
    // A reading without that GPU does not stand for it.
    const without = { ...load, measured: { ...load.measured, gpus: [] } };
    expect(calibrateFootprint(footprint, TARGET, [without]).source).toBe('gguf-header');
  });
});

describe('neighbours were measured', () => {
  test('they shift the estimate by the median of what was taken above it', () => {
    const neighbours = [
      observed('b', 500, 700),
      observed('c', 2000, 2210),
      observed('d', 800, 990),
      // One that went wrong.
      observed('e', 800, 6000),
    ];
    const calibrated = calibrateFootprint(footprintOf(4000, 1000), TARGET, neighbours);
    expect(calibrated.source).toBe('gguf-header');
    expect(anonymousMiB(calibrated)).toBeGreaterThan(1150);
    expect(anonymousMiB(calibrated)).toBeLessThan(1210);
    expect(calibrated.interval?.highBytes).toBeGreaterThan(5205 * MIB);
  });

  test('the same model at another context length counts for more than other models', () => {
    const calibrated = calibrateFootprint(footprintOf(4000, 1000), TARGET, [
      observed('a', 3000, 3100, { config: LONGER }),
      observed('b', 500, 900),
      observed('c', 500, 900),
    ]);
    expect(anonymousMiB(calibrated)).toBeLessThan(1100);
  });

  test('a single one is believed by half, and the interval keeps room for the rest', () => {
    const calibrated = calibrateFootprint(footprintOf(4000, 1000), TARGET, [
      observed('b', 1000, 1400),
    ]);
    expect(anonymousMiB(calibrated)).toBe(1200);
    expect(calibrated.interval?.highBytes).toBeGreaterThan(5400 * MIB);
  });

  test('nothing wild comes of wild readings', () => {
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
