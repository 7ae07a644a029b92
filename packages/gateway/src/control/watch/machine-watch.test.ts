import { createFakeClock } from '../../../test/fakes/fake-clock.js';
import { createFakeMachine } from '../../../test/fakes/fake-machine.js';
import { watchMachine } from './machine-watch.js';

test('a clock that is set back by an hour does not stop the samples', async () => {
  const { port } = createFakeMachine();
  const clock = createFakeClock();
  let offsetMs = 0;
  const shifted = { ...clock, nowMs: () => clock.nowMs() + offsetMs };
  await using watch = watchMachine(port, shifted, () => port.status());
  await clock.advance(10_000);
  expect(watch.samples().length).toBeGreaterThanOrEqual(3);
  offsetMs = -3_600_000;
  await clock.advance(10_000);
  const times = watch.samples().map(({ atMs }) => atMs);
  expect(times.length).toBeGreaterThanOrEqual(3);
  expect(Math.max(...times)).toBeLessThanOrEqual(shifted.nowMs());
});
