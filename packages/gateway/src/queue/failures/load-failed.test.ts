import { loadFailed } from './load-failed.js';

const cooling = (modelKey: string, remainingMs: number) => ({
  modelKey,
  rejection: { code: 'COOLING_DOWN_AFTER_FAILURE', remainingMs },
});
const CRASHED = 'The engine of a crashed. Choose another model.';
const messages = new Map([['a', CRASHED]]);

test.each([
  [0, 'in 1 s', 1],
  [29_001, 'in 30 s', 30],
  [59_000, 'in 59 s', 59],
  [59_001, 'in 60 s', null],
  [120_000, 'in 2 min', null],
  [7_200_000, 'in 2 h, or earlier if memory is freed', null],
])(
  'a load that failed and is tried again in %i ms is named with that time',
  (ms, when, retryAfterSeconds) => {
    const failure = loadFailed({ decision: 'none', rejected: [cooling('a', ms)] }, messages);
    expect(failure).toEqual({
      code: 'load_failed',
      status: 503,
      message: `${CRASHED} Mai tries to load it again ${when}.`,
      retryAfterSeconds,
    });
  },
);

test('of several failed loads, the one that is tried first is reported, with the reasons of the other loads', () => {
  const rejected = [
    cooling('b', 90_000),
    cooling('a', 10_000),
    { modelKey: 'c', rejection: { code: 'INSUFFICIENT_RAM' } },
  ];
  expect(loadFailed({ decision: 'none', rejected }, messages)?.message).toBe(
    `${CRASHED} Mai tries to load it again in 10 s. No other model fits now: b (COOLING_DOWN_AFTER_FAILURE), c (INSUFFICIENT_RAM).`,
  );
});

test('a failed load is named even if its message is not known', () => {
  expect(loadFailed({ decision: 'none', rejected: [cooling('b', 9000)] }, messages)?.message).toBe(
    'b failed to load. Mai tries to load it again in 9 s.',
  );
});

test('a load that is due but was not tried is explained by the many failures before it', () => {
  const failure = loadFailed({ decision: 'load', rejected: [] }, messages);
  expect(failure).toMatchObject({ code: 'load_failed', status: 503, retryAfterSeconds: null });
  expect(failure?.message).toContain('several loads in succession have failed');
});

test('a request that no model fits has no failed load', () => {
  const rejected = [{ modelKey: 'c', rejection: { code: 'INSUFFICIENT_RAM' } }];
  expect(loadFailed({ decision: 'none', rejected }, messages)).toBeNull();
});
