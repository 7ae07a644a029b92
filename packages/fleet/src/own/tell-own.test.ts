import { standingClock } from '../../test/moved-clock.js';
import { openMembers } from '../membership/members.js';
import type { FleetConnection } from '../nats/connection.js';
import { decodeHeartbeat } from '../state/heartbeat-codec.js';
import type { Heartbeat } from '../state/heartbeat.js';
import { createOwnTeller } from './tell-own.js';

/** What a machine with one busy resident tells the other hosts. */
function openTeller() {
  const clock = standingClock();
  const told: Heartbeat[] = [];
  const unreachable = async (): Promise<never> => {
    throw new Error('There is no server.');
  };
  const connection: FleetConnection = {
    host: 'attic',
    connected: true,
    server: null,
    fault: null,
    publish: (_subject, text) => {
      const decoded = decodeHeartbeat(Buffer.from(text), 'attic');
      if (!decoded.ok) throw new Error(decoded.reason);
      told.push(decoded.value);
    },
    subscribe: () => () => undefined,
    request: unreachable,
    roundTrip: async () => false,
    bucket: unreachable,
    useServers: () => undefined,
    moveTo: () => undefined,
    onConnected: () => () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const ending = new AbortController();
  const members = openMembers({ connection, watch: false, clock });
  const { signal } = ending;
  const teller = createOwnTeller({
    members,
    ownHost: 'attic',
    version: '1',
    servers: () => [],
    clock,
    signal,
  });
  const load = [{ lanes: [{ instanceIdentifier: 'm', running: 2 }], waiting: 1 }];
  return { clock, told, teller, announce: () => teller.announce('https://attic:8899', () => load) };
}

test('a machine that drains says so at once, and goes on telling its load', () => {
  const { clock, told, teller, announce } = openTeller();
  announce();
  expect(told).toMatchObject([{ ready: true, running: 2, queued: 1 }]);
  teller.drain();
  expect(told).toMatchObject([{ ready: true }, { ready: false, running: 2, queued: 1 }]);
  clock.move(10_000);
  const later = told.slice(2);
  expect(later.length).toBeGreaterThan(3);
  expect(later.every(({ ready, running }) => !ready && running === 2)).toBe(true);
});

test('a machine that drains before it has a gateway for other hosts is never ready', () => {
  const { told, teller, announce } = openTeller();
  teller.drain();
  expect(told).toEqual([]);
  announce();
  expect(told).toMatchObject([{ ready: false }]);
});
