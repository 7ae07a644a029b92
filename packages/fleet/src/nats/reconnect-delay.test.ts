import { reconnectDelayMs } from './reconnect-delay.js';

test.each([
  // Short lives, milliseconds without a connection, random, expected.
  [0, 0, 0, 250],
  [0, 0, 1, 1000],
  [1, 0, 1, 2000],
  [4, 0, 0, 4000],
  [4, 9999, 1, 16_000],
  [100, 9999, 1, 16_000],
  [100, 10_000, 1, 2000],
  [1, 10_000, 0, 500],
  [0, 10_000, 1, 1000],
])(
  'after %d short connections and %d ms without one, at %d: %d ms',
  (lives, downMs, random, ms) => {
    expect(reconnectDelayMs(lives, downMs, random)).toBe(ms);
  },
);
