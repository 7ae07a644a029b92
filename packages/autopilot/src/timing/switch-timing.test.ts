import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import type { PoolOutcome, Selection } from '@mai/selector';
import fc from 'fast-check';
import { GIB } from '../../test/fake-world.js';
import { MINUTE } from '../../test/samples.js';
import { ExcursionHistory } from './excursion-history.js';
import { SwingHistory } from './margin/swing-history.js';

/** A model of 16 GiB beside `othersGib` in 32 GiB. The limit is reached when the others use 9.6 GiB. */
const pool = (othersGib: number, ownGib = 16): PoolOutcome => ({
  pool: 'ram',
  totalBytes: 32 * GIB,
  othersBytes: othersGib * GIB,
  useBeforeBytes: (othersGib + ownGib) * GIB,
  useAfterBytes: (othersGib + 8) * GIB,
  headroomBytes: 0,
  limitRatio: 0.8,
  limitBytes: Math.floor(0.8 * 32 * GIB),
  hardLimitRatio: 0.92,
  hardLimitBytes: Math.floor(0.92 * 32 * GIB),
  reclaimableBytes: 0,
  growthBytes: 0,
});

describe('SwingHistory', () => {
  const swing = (levels: readonly (readonly [gib: number, minutes: number])[]): number => {
    const watch = new SwingHistory();
    let atMs = 0;
    for (const [gib, minutes] of levels) {
      for (const endMs = atMs + minutes * MINUTE; atMs < endMs; atMs += 1000) {
        watch.observe(atMs, [pool(gib)]);
      }
    }
    return watch.swingRatio('ram') * 32;
  };

  it.each([
    ['a level', [[6, 5]], 0],
    [
      'a rise that stayed',
      [
        [6, 5],
        [12, 5],
      ],
      0,
    ],
    [
      'a fall',
      [
        [12, 5],
        [6, 5],
      ],
      0,
    ],
    [
      'a rise and a fall',
      [
        [6, 5],
        [12, 1],
        [6, 1],
      ],
      6,
    ],
    [
      'a rise and a partial fall',
      [
        [6, 5],
        [12, 1],
        [10, 1],
      ],
      2,
    ],
    [
      'a dip',
      [
        [12, 5],
        [6, 1],
        [12, 1],
      ],
      0,
    ],
    [
      'a rise long ago and a fall now',
      [
        [6, 5],
        [12, 11],
        [6, 1],
      ],
      0,
    ],
    [
      'a rise and a fall long ago',
      [
        [6, 5],
        [12, 1],
        [6, 11],
      ],
      0,
    ],
    [
      'several rises and falls',
      [
        [6, 1],
        [8, 1],
        [6, 1],
        [11, 1],
        [6, 1],
        [7, 1],
      ],
      5,
    ],
  ] as const)('gives the largest swing of %s', (_, levels, gib) => {
    expect(swing(levels)).toBeCloseTo(gib);
  });

  it('is never larger than the range of use, and is 0 while use only rises', () => {
    const uses = fc.array(fc.double({ min: 0, max: 32, noNaN: true }), { maxLength: 80 });
    fc.assert(
      fc.property(uses, fc.boolean(), (gib, sorted) => {
        const levels = sorted ? [...gib].sort((one, other) => one - other) : gib;
        const watch = new SwingHistory();
        levels.forEach((level, index) => {
          watch.observe(index * 1000, [pool(level)]);
        });
        const range = Math.max(0, ...levels) - Math.min(32, ...levels);
        const found = watch.swingRatio('ram') * 32;
        expect(found).toBeGreaterThanOrEqual(0);
        expect(found).toBeLessThanOrEqual(Math.max(0, range) + 1e-9);
        if (sorted) expect(found).toBe(0);
      }),
    );
  });
});

describe('ExcursionHistory', () => {
  const decision = (othersGib: number): Selection => ({
    decision: othersGib > 9.6 ? 'switch' : 'keep',
    direction: othersGib > 9.6 ? 'down' : null,
    chosen: null,
    plan: { steps: [], order: null },
    pools: [pool(othersGib)],
    headroomBytes: null,
    rejected: [],
    afterDrain: null,
    notes: [],
  });
  const after = (excursionsS: readonly number[], fromMs = 0): ExcursionHistory => {
    const excursions = new ExcursionHistory();
    let atMs = fromMs;
    for (const seconds of excursionsS) {
      for (const endMs = atMs + seconds * 1000; atMs < endMs; atMs += 1000) {
        excursions.observe(atMs, decision(12), DEFAULT_SELECTION_POLICY);
      }
      for (const endMs = atMs + MINUTE; atMs < endMs; atMs += 1000) {
        excursions.observe(atMs, decision(6), DEFAULT_SELECTION_POLICY);
      }
    }
    return excursions;
  };
  const { dwellMs } = DEFAULT_SELECTION_POLICY;
  const dwellS = dwellMs / 1000;

  it('is the configured dwell without any excursions', () => {
    expect(new ExcursionHistory().dwellMs(DEFAULT_SELECTION_POLICY)).toBe(dwellMs);
    expect(new ExcursionHistory().areOutlasted(DEFAULT_SELECTION_POLICY)).toBe(false);
  });

  it('is longer than configured where earlier excursions ended a little after the dwell', () => {
    const excursions = after([dwellS + 10, dwellS + 10]);
    expect(excursions.dwellMs(DEFAULT_SELECTION_POLICY)).toBeGreaterThan(dwellMs + 10_000);
    expect(excursions.dwellMs(DEFAULT_SELECTION_POLICY)).toBeLessThan(dwellMs + 20_000);
    expect(excursions.areOutlasted(DEFAULT_SELECTION_POLICY)).toBe(true);
  });

  it('is the configured dwell where excursions last long', () => {
    const excursions = after([1800, 2400]);
    expect(excursions.dwellMs(DEFAULT_SELECTION_POLICY)).toBe(dwellMs);
    expect(excursions.areOutlasted(DEFAULT_SELECTION_POLICY)).toBe(false);
  });

  it('is the configured dwell where excursions end within it', () => {
    const excursions = after([dwellS - 5, dwellS - 10]);
    expect(excursions.dwellMs(DEFAULT_SELECTION_POLICY)).toBe(dwellMs);
    expect(excursions.areOutlasted(DEFAULT_SELECTION_POLICY)).toBe(true);
  });

  it('remembers excursions for two hours', () => {
    const fromMs = 10 * 60 * MINUTE;
    const excursions = after([dwellS + 10], fromMs);
    excursions.observe(fromMs + 120 * MINUTE, decision(6), DEFAULT_SELECTION_POLICY);
    expect(excursions.dwellMs(DEFAULT_SELECTION_POLICY)).toBeGreaterThan(dwellMs + 10_000);
    excursions.observe(fromMs + 121 * MINUTE, decision(6), DEFAULT_SELECTION_POLICY);
    expect(excursions.dwellMs(DEFAULT_SELECTION_POLICY)).toBe(dwellMs);
  });

  it('starts again after a day without observations', () => {
    const excursions = after([dwellS + 10, dwellS + 10]);
    excursions.observe(24 * 60 * MINUTE, decision(6), DEFAULT_SELECTION_POLICY);
    excursions.observe(24 * 60 * MINUTE + 1000, decision(6), DEFAULT_SELECTION_POLICY);
    excursions.observe(24 * 60 * MINUTE + 2000, decision(6), DEFAULT_SELECTION_POLICY);
    expect(excursions.dwellMs(DEFAULT_SELECTION_POLICY)).toBe(dwellMs);
  });

  it('is never shorter than the configured dwell, and longer by at most 13 minutes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 12 }), (excursionsS) => {
        const longestDwellMs = after(excursionsS).dwellMs(DEFAULT_SELECTION_POLICY);
        expect(longestDwellMs).toBeGreaterThanOrEqual(dwellMs);
        expect(longestDwellMs).toBeLessThanOrEqual(dwellMs + 13 * 60_000);
      }),
      { numRuns: 20 },
    );
  });
});
