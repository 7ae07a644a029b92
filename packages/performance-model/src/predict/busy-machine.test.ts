import { QUESTION } from '../../test/eight-billion.js';
import { createSpeedModel, type SpeedObservation } from './create-speed-model.js';

const cold = createSpeedModel().decode(QUESTION);

/** An answer at this share of the predicted speed. */
function seen(share: number, othersCpuRatio: number | null): SpeedObservation {
  const tokensPerSecond = cold.tokensPerSecond * share;
  return { ...QUESTION, test: 'decode', generatedTokens: 0, tokensPerSecond, othersCpuRatio };
}

/** The predicted speed after measurements, as a share of the speed before. */
function shareAfter(observations: readonly SpeedObservation[]): number {
  return createSpeedModel(observations).decode(QUESTION).tokensPerSecond / cold.tokensPerSecond;
}

function widthAfter(observations: readonly SpeedObservation[]): number {
  const { low, high } = createSpeedModel(observations).decode(QUESTION);
  return high / low;
}

describe('an answer while other programs use the CPU', () => {
  test('counts the less, the more they use', () => {
    const shares = [0, 0.05, 0.1, 0.3].map((ratio) => shareAfter([seen(0.5, ratio)]));
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares[0]).toBeLessThan(0.55);
    expect(shares[3]).toBeGreaterThan(0.57);
  });

  test('counts as usual where their load is not known', () => {
    expect(shareAfter([seen(0.5, null)])).toBe(shareAfter([seen(0.5, 0)]));
  });

  test.each([1, 1.5, -0.5])('a load of %d gives finite figures', (ratio) => {
    expect(shareAfter([seen(0.5, ratio)])).toBeGreaterThan(0.5);
    expect(shareAfter([seen(0.5, ratio)])).toBeLessThan(1);
  });

  test('hardly changes what was measured on the idle machine', () => {
    const idle = [seen(0.9, 0), seen(0.9, 0.01)];
    const both = [...idle, ...Array.from({ length: 6 }, () => seen(0.4, 0.9))];
    expect(shareAfter(both)).toBeGreaterThan(0.85);
    expect(widthAfter(both)).toBeLessThan(1.1 * widthAfter(idle));
  });

  test('is learned where the machine is always busy', () => {
    const busy = Array.from({ length: 6 }, () => seen(0.5, 0.9));
    expect(shareAfter(busy)).toBeLessThan(0.53);
    expect(widthAfter(busy)).toBeLessThan(widthAfter([]));
  });
});
