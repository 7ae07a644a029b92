import { errorBetween } from './between-splits.js';

const ENDS = [
  { ramShare: 0.2, seconds: 0.01 },
  { ramShare: 0.6, seconds: 0.03 },
];

describe('the error between two measured splits', () => {
  test('lies on the line: a quarter of the way from 10 ms to 30 ms is 15 ms', () => {
    expect(errorBetween(0.3, ENDS)).toBeCloseTo(0.015, 12);
  });

  test('uses the nearest splits', () => {
    const more = [{ ramShare: 0, seconds: 0.001 }, ...ENDS, { ramShare: 1, seconds: 0.5 }];
    expect(errorBetween(0.3, more)).toBeCloseTo(0.015, 12);
  });

  test('uses the mean of repeated measurements: a quarter of the way from 10 ms to 50 ms is 20 ms', () => {
    expect(errorBetween(0.3, [...ENDS, { ramShare: 0.6, seconds: 0.07 }])).toBeCloseTo(0.02, 12);
  });

  test.each([0.1, 0.7, 0.2, 0.6])('is not known at %d, outside or on an end', (ramShare) => {
    expect(errorBetween(ramShare, ENDS)).toBeNull();
  });

  test('is not known without measurements', () => {
    expect(errorBetween(0.5, [])).toBeNull();
  });
});
