import { hostOf } from '../../test/known-hosts.js';
import { standingClock } from '../../test/moved-clock.js';
import type { KnownHost } from '../state/known-host.js';
import { leaveIsolatedServers } from './isolation.js';

const SERVERS = ['tls://10.0.0.1:4222', 'tls://10.0.0.2:4222', 'tls://10.0.0.3:4222'];
const heard = hostOf('tower', []);
const silent = hostOf('tower', [], { known: { usable: false, silentMs: 9000 } });

/** Runs the checks of some seconds. Returns the times at which the host moved. */
async function movesWithin(
  seconds: number,
  hosts: readonly KnownHost[],
  reachable: readonly string[],
  server: string | null = '10.0.0.1:4222',
): Promise<readonly number[]> {
  const clock = standingClock();
  const stop = new AbortController();
  const moves: number[] = [];
  const connection = { server, moveOn: () => void moves.push(clock.monotonicMs()) };
  const startMs = clock.monotonicMs();
  const running = leaveIsolatedServers({
    ...{ connection, clock, ownHost: 'laptop', signal: stop.signal },
    hosts: () => [hostOf('laptop', []), ...hosts],
    servers: () => SERVERS,
    isReachable: async (url) => reachable.includes(url),
  });
  for (let half = 0; half < 2 * seconds; half += 1) {
    clock.move(500);
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }
  stop.abort();
  clock.move(1000);
  await running;
  return moves.map((atMs) => (atMs - startMs) / 1000);
}

test.each<[string, Promise<readonly number[]>]>([
  ['another host is heard', movesWithin(5, [silent, heard], SERVERS)],
  ['no other host is known', movesWithin(5, [], SERVERS)],
  ['no other server takes connections', movesWithin(5, [silent], ['tls://10.0.0.1:4222'])],
  ['there is no connection', movesWithin(5, [silent], SERVERS, null)],
])('a host stays at its server where %s', async (_why, moves) => {
  expect(await moves).toEqual([]);
});

test('a host that hears nobody moves to another server, and then stays for half a minute', async () => {
  expect(await movesWithin(40, [silent], SERVERS.slice(1, 2))).toEqual([0.5, 30.5]);
});
