import type { BenchResult } from './bench-result.js';
import { benchNotes } from './bench-words.js';

const resultWith = (othersCpuRatio: number | null): BenchResult => ({
  modelKey: 'acme/chat',
  decode: { measured: 20, before: null, after: null },
  prompt: null,
  load: null,
  othersCpuRatio,
  failure: null,
});

test.each([null, 0, 0.19])(
  'other programs are not named where they used %s of the CPU',
  (ratio) => {
    expect(benchNotes([resultWith(ratio)])).toEqual([
      expect.stringMatching(/^Mai learned from 1 m/),
    ]);
  },
);

test('the user hears of programs that used the CPU meanwhile', () => {
  expect(benchNotes([resultWith(0.634)])).toContain(
    'Other programs used 63 % of the CPU while acme/chat was measured, so its speeds may be too low, and Mai gives them little weight. ' +
      'Close these programs and run the benchmark again.',
  );
});
