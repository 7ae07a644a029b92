import type { LoadSpeed } from './models/load-speed.js';
import { valueOf } from './value.js';

const POLICY = { goal: 'balanced', minTokensPerSecond: 6 } as const;

function speedOf(expected: number): LoadSpeed {
  const range = { expected, low: expected / 2, high: expected * 2 };
  return {
    decodeTokensPerSecond: range,
    promptTokensPerSecond: range,
    loadMs: null,
    measured: false,
  };
}

describe('valueOf', () => {
  it.each([
    ['quality', 1.5, 0.8],
    ['balanced', 1.5, 0.4],
    ['speed', 1.5, 0.2],
    ['quality', 6, 0.8],
    ['balanced', 6, 0.8],
    ['speed', 6, 0.8],
    ['speed', 600, 0.8],
    ['balanced', 0, 0],
    ['quality', 0, 0.8],
  ] as const)(
    'with the goal %s at %d tokens per second, a quality of 0.8 is worth %d',
    (goal, speed, value) => {
      expect(valueOf({ quality: 0.8, speed: speedOf(speed) }, { ...POLICY, goal })).toBeCloseTo(
        value,
      );
    },
  );

  it('is not known where the quality is not known', () => {
    expect(valueOf({ quality: null, speed: speedOf(20) }, POLICY)).toBeNull();
    expect(valueOf({ quality: null, speed: null }, POLICY)).toBeNull();
  });

  it('is the quality where the speed is not known, or the minimum is 0', () => {
    expect(valueOf({ quality: 0.7, speed: null }, POLICY)).toBe(0.7);
    const slow = { quality: 0.7, speed: speedOf(0.1) };
    expect(valueOf(slow, { goal: 'speed', minTokensPerSecond: 0 })).toBe(0.7);
  });
});
