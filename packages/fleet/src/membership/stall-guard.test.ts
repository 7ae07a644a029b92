import { standingClock } from '../../test/moved-clock.js';
import { createStallGuard } from './stall-guard.js';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A connection whose round trips end when the test says so. */
function roundTrips() {
  const open: ((answered: boolean) => void)[] = [];
  return {
    open,
    roundTrip: () => new Promise<boolean>((resolve) => open.push(resolve)),
  };
}

it('takes messages as live while the process runs', () => {
  const clock = standingClock();
  const connection = roundTrips();
  const guard = createStallGuard({ clock, connection });
  clock.move(60_000);
  expect(guard.isLive()).toBe(true);
  expect(connection.open).toHaveLength(0);
  guard.stop();
});

it('takes messages after a stop of the process as old until a round trip has ended', async () => {
  let movedMs = 0;
  const clock = standingClock();
  const connection = roundTrips();
  const guard = createStallGuard({
    clock: { ...clock, monotonicMs: () => clock.monotonicMs() + movedMs },
    connection,
  });
  // As with SIGSTOP and SIGCONT: time has passed, and no timer has run.
  movedMs = 60_000;
  expect(guard.isLive()).toBe(false);
  expect(guard.isLive()).toBe(false);
  expect(connection.open).toHaveLength(1);
  connection.open[0]?.(false);
  await settle();
  clock.move(500);
  await settle();
  expect(guard.isLive()).toBe(false);
  connection.open[1]?.(true);
  await settle();
  expect(guard.isLive()).toBe(true);
  guard.stop();
});
