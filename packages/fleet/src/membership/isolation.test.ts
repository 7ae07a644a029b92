import { hostOf } from '../../test/known-hosts.js';
import { standingClock } from '../../test/moved-clock.js';
import type { KnownHost } from '../state/known-host.js';
import { leaveIsolatedServers } from './isolation.js';

const [FIRST, SECOND, THIRD] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(
  (address) => `tls://${address}:4222`,
) as [string, string, string];
const heard = (host: string): KnownHost => hostOf(host, []);
const silent = (host: string, known: Partial<KnownHost> = {}): KnownHost =>
  hostOf(host, [], { known: { usable: false, silentMs: 9000, ...known } });

interface Setting {
  readonly hosts: readonly KnownHost[];
  /** The hosts that answer at each server that takes connections, for a second of the test. */
  readonly answering: Readonly<Record<string, readonly string[]>>;
  readonly takesConnections?: (url: string, atSeconds: number) => boolean;
  readonly server?: string | null;
}

/** Runs the checks of some seconds on the host `laptop` at the first server. */
async function runFor(seconds: number, setting: Setting) {
  const { hosts, answering, takesConnections = (url) => url in answering } = setting;
  const clock = standingClock();
  const stop = new AbortController();
  const startMs = clock.monotonicMs();
  const atSeconds = (): number => (clock.monotonicMs() - startMs) / 1000;
  const moves: { readonly atSeconds: number; readonly to: string }[] = [];
  const asked: { readonly atSeconds: number; readonly at: string }[] = [];
  const heardAfter: string[] = [];
  let server: string | null = setting.server === undefined ? new URL(FIRST).host : setting.server;
  const running = leaveIsolatedServers({
    clock,
    ownHost: 'laptop',
    signal: stop.signal,
    connection: {
      get server() {
        return server;
      },
      moveTo: (url) => {
        moves.push({ atSeconds: atSeconds(), to: url });
        server = new URL(url).host;
      },
    },
    hosts: () => [
      hostOf('laptop', []),
      ...hosts.map((one) => (heardAfter.includes(one.state.host) ? heard(one.state.host) : one)),
    ],
    servers: () => [FIRST, SECOND, THIRD],
    isReachable: async (url) => takesConnections(url, atSeconds()),
    ask: async (url, names) => {
      asked.push({ atSeconds: atSeconds(), at: url });
      const found = (answering[url] ?? []).filter((host) => names.includes(host));
      return found.map((host) => hostOf(host, []).state);
    },
    onAnswer: ({ host }) => void heardAfter.push(host),
  });
  for (let step = 0; step < 10 * seconds; step += 1) {
    clock.move(100);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  }
  stop.abort();
  clock.move(1000);
  await running;
  return { moves, asked, heardAfter };
}

test.each<[string, Setting]>([
  ['all hosts are heard', { hosts: [heard('tower')], answering: { [SECOND]: ['tower'] } }],
  ['no other host is known', { hosts: [], answering: { [SECOND]: ['tower'] } }],
  [
    'there is no connection',
    { hosts: [silent('tower')], answering: { [SECOND]: ['tower'] }, server: null },
  ],
  [
    'the silent host said goodbye',
    {
      hosts: [
        silent('tower', {
          heartbeat: { ...heard('tower').heartbeat, ready: false } as KnownHost['heartbeat'],
        }),
      ],
      answering: { [SECOND]: ['tower'] },
    },
  ],
])('a host asks nobody where %s', async (_why, setting) => {
  expect(await runFor(30, setting)).toEqual({ moves: [], asked: [], heardAfter: [] });
});

test('a host that hears nobody moves to the server where most silent hosts answer, and hears them at once', async () => {
  const { moves, heardAfter } = await runFor(5, {
    hosts: [silent('tower'), silent('desk'), silent('asleep')],
    answering: { [SECOND]: ['tower'], [THIRD]: ['tower', 'desk'] },
  });
  expect(moves).toEqual([{ atSeconds: 0.5, to: THIRD }]);
  expect(heardAfter).toEqual(['tower', 'desk']);
});

test('of two sides of a broken route, the one with fewer hosts moves', async () => {
  const answering = { [SECOND]: ['tower', 'desk'] };
  const hosts = [silent('tower'), silent('desk')];
  expect((await runFor(5, { hosts: [...hosts, heard('a')], answering })).moves).toEqual([]);
  expect((await runFor(5, { hosts, answering })).moves).toHaveLength(1);
});

test('of two sides with equally many hosts, the side without the alphabetically first name moves', async () => {
  const moved = async (other: string): Promise<number> =>
    (await runFor(5, { hosts: [silent(other)], answering: { [SECOND]: [other] } })).moves.length;
  expect([await moved('attic'), await moved('tower')]).toEqual([1, 0]);
});

test('where only one route is broken, the hosts meet at the server that hears all', async () => {
  // The first server has `laptop`, the second one `desk`, and the third one `other`. The first and the third don't hear each other.
  const meets = async (other: string): Promise<readonly string[]> => {
    const { moves } = await runFor(5, {
      hosts: [heard('desk'), silent(other)],
      answering: { [SECOND]: ['desk', other], [THIRD]: ['desk', other] },
    });
    return moves.map(({ to }) => to);
  };
  expect([await meets('attic'), await meets('tower')]).toEqual([[SECOND], []]);
});

test('a host moves within a second after the server of the others takes connections again', async () => {
  const { moves } = await runFor(125, {
    hosts: [silent('attic')],
    answering: { [SECOND]: ['attic'] },
    takesConnections: (url, atSeconds) => url === SECOND && atSeconds > 120,
  });
  expect(moves).toEqual([{ atSeconds: 120.5, to: SECOND }]);
});

test('a server where no silent host answers is asked less and less often', async () => {
  const { asked } = await runFor(80, { hosts: [silent('asleep')], answering: { [SECOND]: [] } });
  expect(asked.map(({ atSeconds }) => atSeconds)).toEqual([0.5, 10.5, 30.5, 70.5]);
});
