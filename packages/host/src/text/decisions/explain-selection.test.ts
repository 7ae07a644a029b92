import type { WeighedWait } from '@mai/selector';
import { explainWeighedWait } from './explain-selection.js';

const WEIGHED: WeighedWait = {
  ...{
    code: 'WEIGHED_WAIT',
    outcome: 'wait',
    waitsFor: ['mai/chat'],
    waitMs: 5000,
    servesMs: 300_000,
  },
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
] as const)('a wait that was weighed is told with its figures: %s', (outcome, sentence) => {
  expect(explainWeighedWait({ ...WEIGHED, outcome })).toBe(sentence);
});
