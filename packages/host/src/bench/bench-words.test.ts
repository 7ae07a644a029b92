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

test('the loads of several models are told in one sentence', () => {
  const others = { ...resultWith(0.9), modelKey: 'acme/large' };
  const [, note] = benchNotes([resultWith(0.2), others, resultWith(0.1)]);
  expect(note).toContain(
    'used 20 to 90 % of the CPU when these models were measured: acme/chat, acme/large.',
  );
});

test('the user hears of programs that used the CPU meanwhile', () => {
  expect(benchNotes([resultWith(0.634)])).toContain(
    'Other programs used 63 % of the CPU when these models were measured: acme/chat. Their speeds may be too low, and Mai gives them ' +
      'less weight. Close these programs and run the benchmark again.',
  );
});
