import { limitRepeats } from './limit-repeats.js';

function open() {
  let nowMs = 1000;
  const told: string[] = [];
  const warn = limitRepeats(
    (text) => told.push(text),
    () => nowMs,
  );
  return { warn, told, pass: (ms: number) => (nowMs += ms) };
}

test.each([
  [59_999, ['full']],
  [60_000, ['full', 'full (2 more times since this was last shown)']],
  // The clock was set back.
  [-3_600_000, ['full', 'full (2 more times since this was last shown)']],
])('a text that comes again after %d ms', (ms, expected) => {
  const { warn, told, pass } = open();
  warn('full');
  warn('full');
  warn('full');
  pass(ms);
  warn('full');
  expect(told).toEqual(expected);
});

test('different texts are shown at once, and a text that was not left out has no count', () => {
  const { warn, told, pass } = open();
  warn('full');
  warn('other');
  pass(60_000);
  warn('full');
  pass(1);
  warn('full');
  pass(60_000);
  warn('full');
  expect(told).toEqual(['full', 'other', 'full', 'full (1 more time since this was last shown)']);
});

test('remembers a bounded number of texts', () => {
  const { warn, told } = open();
  for (let index = 0; index <= 100; index += 1) warn(`text ${index}`);
  warn('text 100');
  warn('text 0');
  expect(told.slice(100)).toEqual(['text 100', 'text 0']);
});
