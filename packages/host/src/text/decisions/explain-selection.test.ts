import type { Resources } from '@mai/memory-ledger';
import type { WeighedWait } from '@mai/selector';
import { explainNote, explainWeighedWait } from './explain-selection.js';

const WEIGHED: WeighedWait = {
  code: 'WEIGHED_WAIT',
  outcome: 'wait',
  waitsFor: ['mai/chat'],
  waitMs: 5000,
  servesMs: 300_000,
  preferred: { modelKey: 'coder-large', value: 0.9, loadMs: 14_000 },
  other: { modelKey: 'coder-small', value: 0.6, loadMs: 4000 },
};

test.each([
  [
    'wait',
    'The request waits: about 5.0 s until mai/chat is idle and 14 s to load coder-large (value 0.90) cost less than the lower value of coder-small (0.60), which could be loaded at once in 4.0 s.',
  ],
  [
    'load',
    'The request does not wait: about 5.0 s until mai/chat is idle and 14 s to load coder-large (value 0.90) cost more than the lower value of coder-small (0.60), which is loaded at once in 4.0 s.',
  ],
] as const)('a wait that was weighed is explained with its figures: %s', (outcome, sentence) => {
  expect(explainWeighedWait({ ...WEIGHED, outcome })).toBe(sentence);
});

describe('a chosen model below the minimum is explained with its figures', () => {
  const resources: Resources = {
    timestampMs: 0,
    observable: true,
    ram: { totalBytes: 32, availableBytes: 16, mappedCountsAsUsed: false },
    unified: false,
    gpus: [],
    cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
  };
  const tokensPerSecond = { expected: 2.8, low: 2, high: 4 };
  const note = {
    code: 'TOO_SLOW' as const,
    tokensPerSecond,
    minTokensPerSecond: 6,
    measured: false,
  };
  const sentence =
    'The chosen model would generate about 2.8 tokens a second (at most 4), less than the minimum of 6. No model that fits is fast enough.';

  test('where the order of the chain decided', () => {
    expect(explainNote(note, resources)).toBe(sentence);
  });

  test('where the value decided', () => {
    const comparison = { value: 0.354, next: { modelKey: 'other', value: 0.31 } };
    expect(explainNote({ ...note, comparison }, resources)).toBe(
      `${sentence} Its value (the quality, reduced for the low speed) is 0.35, and the value of other is 0.31.`,
    );
    const small = { value: 0.0123, next: { modelKey: 'other', value: 0.0092 } };
    expect(explainNote({ ...note, comparison: small }, resources)).toMatch(
      /is 0\.012, and the value of other is 0\.0092\.$/,
    );
  });
});
