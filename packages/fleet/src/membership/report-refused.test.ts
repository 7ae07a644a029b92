import { standingClock } from '../../test/moved-clock.js';
import { createRefusedReport } from './report-refused.js';

test('a host is reported at most once a minute, and not twice in a row for the same reason', () => {
  const clock = standingClock();
  const told: string[] = [];
  const report = createRefusedReport(clock, (message) => told.push(message));
  for (let count = 0; count < 1000; count += 1) report('attic', `reason ${count}`);
  report('cellar', 'reason 0');
  clock.move(59_999);
  report('attic', 'too early');
  clock.move(1);
  report('attic', 'reason 0');
  report('attic', 'now');
  clock.move(60_000);
  report('cellar', 'reason 0');
  report('attic', 'now');
  expect(told).toEqual([
    'A message of the host attic is left out: reason 0.',
    'A message of the host cellar is left out: reason 0.',
    'A message of the host attic is left out: now.',
  ]);
});
