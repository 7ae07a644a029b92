import { contextSteps, nearestStep } from './settings.js';

test('the slider ends at the maximum of the model, also where that is not a round figure', () => {
  expect(contextSteps(4096)).toEqual([1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096]);
  expect(contextSteps(2050).slice(-2)).toEqual([2048, 2050]);
  expect(contextSteps(512)).toEqual([512]);
});

test('the slider ends at 131,072 tokens where the maximum is not known', () => {
  expect(contextSteps(null).at(-1)).toBe(131_072);
});

test('each step of the slider is longer than the one before', () => {
  const steps = contextSteps(1_000_000);
  expect([...steps].sort((a, b) => a - b)).toEqual(steps);
  expect(new Set(steps).size).toBe(steps.length);
});

test('finds the closest step', () => {
  expect(nearestStep([1024, 2048, 4096], 2100)).toBe(1);
  expect(nearestStep([1024], 99_999)).toBe(0);
});
