import { checkRange } from './check-range.js';

test.each([0, 0.5, 1])('%d is from 0 to 1', (value) => {
  expect(() => checkRange('ratio', value, 0, 1)).not.toThrow();
});

test.each([NaN, -0.1, 1.1, Infinity])('%d is not from 0 to 1', (value) => {
  expect(() => checkRange('ratio', value, 0, 1)).toThrow(
    new RangeError(`ratio must be a number from 0 to 1, not ${value}.`),
  );
});

test('a range without an end has no upper limit', () => {
  expect(() => checkRange('timeoutMs', Infinity, 0)).not.toThrow();
  expect(() => checkRange('timeoutMs', -1, 0)).toThrow(
    'timeoutMs must be a number of at least 0, not -1.',
  );
});
