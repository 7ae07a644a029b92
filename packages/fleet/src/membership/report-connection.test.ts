import { standingClock } from '../../test/moved-clock.js';
import { reportConnection } from './report-connection.js';

test('a connection that is missing for ten seconds is reported once, and again when it was there meanwhile', async () => {
  const clock = standingClock();
  const end = new AbortController();
  const connection = { connected: true, fault: null as Error | null };
  const told: string[] = [];
  const reporting = reportConnection({
    connection,
    clock,
    signal: end.signal,
    warn: (message) => told.push(message),
  });
  const seconds = async (count: number): Promise<void> => {
    for (let second = 0; second < count; second += 1) {
      clock.move(1000);
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    }
  };
  await seconds(60);
  connection.connected = false;
  await seconds(9);
  connection.connected = true;
  await seconds(10);
  expect(told).toEqual([]);
  connection.connected = false;
  await seconds(300);
  expect(told).toEqual([
    'The fleet is out of reach, so this machine serves alone until NATS answers. NATS: no server answers',
  ]);
  connection.connected = true;
  await seconds(5);
  connection.connected = false;
  connection.fault = new Error("'Authorization Violation'");
  await seconds(10);
  expect(told.slice(1)).toEqual([expect.stringContaining('mai fleet leave')]);
  end.abort();
  await reporting;
  await seconds(60);
  expect(told).toHaveLength(2);
});
