import { modelOf, speed } from '../../test/known-hosts.js';
import { loadMs, queueMs, serviceTimes, slowdown } from './expected-times.js';
import { DEFAULT_PLACEMENT_POLICY } from './placement-input.js';

const { assumed } = DEFAULT_PLACEMENT_POLICY;

describe('expected times', () => {
  it('divides tokens by tokens per second', () => {
    const times = serviceTimes({ speed: speed(30, 400) }, 800, 300, assumed);
    expect(times).toEqual({ promptMs: 2_000, answerMs: 10_000 });
  });

  it.each([{ known: null }, { known: speed(0, 0) }])(
    'assumes 400 and 20 tokens per second where the speed is $known',
    ({ known }) => {
      const times = serviceTimes({ speed: known }, 800, 300, assumed);
      expect(times).toEqual({ promptMs: 2_000, answerMs: 15_000 });
    },
  );

  it.each([
    { known: null, promptMs: 600, answerMs: 4_500 },
    // A known speed is not corrected.
    { known: speed(30, 400), promptMs: 2_000, answerMs: 10_000 },
  ])(
    'takes 0.3 of the assumed times where answers took so long, and the speed is $known',
    (row) => {
      const { known, promptMs, answerMs } = row;
      const times = serviceTimes({ speed: known }, 800, 300, assumed, 0.3);
      expect(times.promptMs).toBeCloseTo(promptMs, 6);
      expect(times.answerMs).toBeCloseTo(answerMs, 6);
    },
  );

  it.each([
    { ahead: 0, parallel: 1, waitMs: 0 },
    { ahead: 1, parallel: 1, waitMs: 12_000 },
    { ahead: 2, parallel: 1, waitMs: 24_000 },
    { ahead: 3, parallel: 4, waitMs: 0 },
    { ahead: 4, parallel: 4, waitMs: 3_000 },
    { ahead: 5, parallel: 4, waitMs: 6_000 },
    { ahead: 7, parallel: 4, waitMs: 12_000 },
  ])(
    'waits $waitMs ms behind $ahead requests of 12 s where $parallel are answered together',
    ({ ahead, parallel, waitMs }) => {
      expect(queueMs(ahead, parallel, 12_000)).toBe(waitMs);
    },
  );

  it.each([
    { together: 1, factor: 1 },
    { together: 2, factor: 1.5 },
    { together: 4, factor: 2.5 },
  ])('takes $factor times as long with $together requests together', ({ together, factor }) => {
    expect(slowdown(together, DEFAULT_PLACEMENT_POLICY)).toBe(factor);
  });

  it.each([
    { name: 'as the host expects it', speed: speed(1, 1, 20_000), sizeBytes: 16e9, ms: 20_000 },
    { name: 'by size, 3 s and 400 MB a second', speed: null, sizeBytes: 16e9, ms: 43_000 },
    {
      name: 'by size where only the load time is null',
      speed: speed(1, 1),
      sizeBytes: 4e9,
      ms: 13_000,
    },
    { name: 'one minute where nothing is known', speed: null, sizeBytes: null, ms: 60_000 },
  ])('takes the time of a load: $name', ({ speed: known, sizeBytes, ms }) => {
    expect(loadMs(modelOf({ speed: known, sizeBytes }), assumed)).toBe(ms);
  });
});
