import { describeCondition, describeHeard } from './condition.js';

test('counts the time of a silent host on until the next answer of the gateway', () => {
  const silent = { condition: 'silent', silentMs: 12_000 } as const;
  expect(describeCondition(silent, 0)).toBe('silent for 12 s');
  expect(describeCondition(silent, 3000)).toBe('silent for 15 s');
  expect(describeCondition({ condition: 'ready', silentMs: 400 }, 3000)).toBe('ready');
});

test.each([
  [{ condition: 'ready', silentMs: 400, own: false }, 'heard 1.4 s ago'],
  [{ condition: 'ready', silentMs: 0, own: true }, 'this machine'],
  [{ condition: 'silent', silentMs: 9000, own: false }, null],
  [{ condition: 'not-heard', silentMs: null, own: false }, null],
  [{ condition: 'without-mai', silentMs: null, own: false }, null],
] as const)('%j was heard: %p', (host, text) => {
  expect(describeHeard(host, 1000)).toBe(text);
});
