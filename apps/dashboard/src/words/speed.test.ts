import { formatSpeed, speedFigures } from './speed.js';

const speed = { tokensPerSecond: 42.4, firstTokenMs: 1240, loadMs: 4000, measured: true };

test('writes each figure with its unit, and marks what was not measured', () => {
  expect(speedFigures({ speed, quality: 0.614 })).toEqual([
    '42 tokens/s',
    'first token 1.2 s',
    'loads in ~4.0 s',
    'quality 0.61',
  ]);
  expect(
    speedFigures({ speed: { ...speed, measured: false, loadMs: null }, quality: null }),
  ).toEqual(['~42 tokens/s', 'first token ~1.2 s']);
  expect(speedFigures({ speed: null, quality: null })).toEqual([]);
});

test.each([
  [3.14, '3.1'],
  [9.94, '9.9'],
  [9.96, '10'],
  [6, '6'],
  [41.6, '42'],
  [1234.5, '1,235'],
])('%p tokens a second are %s', (tokensPerSecond, text) => {
  expect(formatSpeed(tokensPerSecond)).toBe(text);
});
