import { standingClock } from '../../test/moved-clock.js';
import { ownLoad, ownState } from '../../test/states.js';
import type { FleetConnection } from '../nats/connection.js';
import { openMembers } from './members.js';

/** A connection that keeps the times of what is published. The wall clock must not be read. */
function openAt(clock: ReturnType<typeof standingClock>) {
  const sentAtMs: number[] = [];
  const unreachable = async (): Promise<never> => {
    throw new Error('There is no server.');
  };
  const connection: FleetConnection = {
    host: 'attic',
    connected: true,
    server: null,
    fault: null,
    publish: () => void sentAtMs.push(clock.monotonicMs()),
    subscribe: () => () => undefined,
    request: unreachable,
    roundTrip: async () => false,
    bucket: unreachable,
    useServers: () => undefined,
    moveTo: () => undefined,
    onConnected: () => () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const withoutWallClock = {
    ...clock,
    nowMs: () => {
      throw new Error('The wall clock was read.');
    },
  };
  const members = openMembers({ connection, watch: false, clock: withoutWallClock });
  return { members, sentAtMs };
}

test('a heartbeat is sent every two seconds, 10 % earlier or later by chance', async () => {
  const clock = standingClock();
  const { members, sentAtMs } = openAt(clock);
  members.publish(ownState());
  members.beat(ownLoad());
  clock.move(400_000);
  const gaps = sentAtMs.slice(1).map((atMs, index) => atMs - (sentAtMs[index] ?? 0));
  expect(gaps.length).toBeGreaterThan(180);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1800);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(2200);
  // 200 hosts that started together must not send together.
  expect(new Set(gaps.map(Math.round)).size).toBeGreaterThan(50);
  expect(Math.max(...gaps) - Math.min(...gaps)).toBeGreaterThan(200);
  await members[Symbol.asyncDispose]();
});

test('a changed load waits for the next heartbeat, but the end of readiness is sent at once', async () => {
  const clock = standingClock();
  const { members, sentAtMs } = openAt(clock);
  members.publish(ownState());
  members.beat(ownLoad());
  expect(sentAtMs).toHaveLength(1);
  for (let running = 1; running < 50; running += 1) members.beat(ownLoad({ running }));
  expect(sentAtMs).toHaveLength(1);
  members.beat(ownLoad({ ready: false }));
  expect(sentAtMs).toHaveLength(2);
  await members[Symbol.asyncDispose]();
});
