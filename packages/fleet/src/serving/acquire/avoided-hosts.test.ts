import { standingClock } from '../../../test/moved-clock.js';
import { createAvoidedHosts } from './avoided-hosts.js';

test('each failure in a row doubles the time for which a host is not asked, up to a minute', () => {
  const clock = standingClock();
  const avoided = createAvoidedHosts(clock);
  for (const seconds of [5, 10, 20, 40, 60, 60]) {
    avoided.avoid('desktop');
    clock.move(seconds * 1000 - 1);
    expect([seconds, avoided.has('desktop')]).toEqual([seconds, true]);
    clock.move(1);
    expect([seconds, avoided.has('desktop')]).toEqual([seconds, false]);
  }
  avoided.answered('desktop');
  avoided.avoid('desktop');
  clock.move(5000);
  expect(avoided.has('desktop')).toBe(false);
});

test('a hundred requests that notice the same failure count as one failure', () => {
  const clock = standingClock();
  const avoided = createAvoidedHosts(clock);
  for (let request = 0; request < 100; request += 1) avoided.avoid('desktop');
  clock.move(5000);
  expect(avoided.has('desktop')).toBe(false);
});
