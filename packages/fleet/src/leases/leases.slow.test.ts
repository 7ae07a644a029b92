import { movedClock } from '../../test/moved-clock.js';
import { startNatsServer, type TestNatsServer } from '../../test/nats-server.js';
import { waitUntil } from '../../test/wait-until.js';
import { connectFleet, type FleetConnection } from '../nats/connection.js';
import { requestSubject } from '../nats/subjects.js';
import { askLeases } from './ask-leases.js';
import { MAX_GRANTS_OF_ASKER, UNUSED_MS } from './grants.js';
import type {
  GrantedResident,
  LeaseAnswer,
  LeaseAsker,
  LeasedResident,
  LeaseGrantPort,
  LeaseRequest,
  LeaseServer,
} from './lease-types.js';
import { serveLeases, type ServeLeasesOptions } from './serve-leases.js';

jest.setTimeout(120_000);

const REQUEST: LeaseRequest = {
  capabilities: ['chat'],
  minContextLengthTokens: 8192,
  preferredContextLengthTokens: null,
  tiers: null,
  chain: null,
  modelKey: 'qwen3-8b',
  instanceIdentifier: null,
  failed: [],
  requestId: 'request-1',
};

const RESIDENT: LeasedResident = {
  modelKey: 'qwen3-8b',
  instanceIdentifier: 'qwen3-8b',
  tier: 'medium',
  capabilities: ['chat'],
  contextLengthTokens: 8192,
  decisionId: 'decision-1',
};

const EPOCH = '00000000000000aa';

/** A serving port whose loads end when the test says so. Asks for the same model share one load, as in an autopilot. */
class TestPort implements LeaseGrantPort {
  readonly releases: string[] = [];
  private lost = new AbortController();
  /** Requests that wait for the load. */
  waiting: { resolve: () => void; reject: (error: unknown) => void; asker: string }[] = [];
  cancelled = 0;
  resident = true;
  loadMs: number | null = 20_000;
  held = 0;

  async acquire(
    _request: LeaseRequest,
    { signal, asker }: { signal: AbortSignal; asker: string },
  ): Promise<GrantedResident> {
    if (!this.resident)
      await new Promise<void>((resolve, reject) => {
        const one = { resolve, reject, asker };
        this.waiting.push(one);
        signal.addEventListener('abort', () => {
          this.cancelled += 1;
          this.waiting = this.waiting.filter((other) => other !== one);
          reject(new Error('The load was cancelled.', { cause: signal.reason }));
        });
      });
    this.held += 1;
    this.lost = new AbortController();
    return {
      resident: RESIDENT,
      lost: this.lost.signal,
      release: async () => {
        this.held -= 1;
        this.releases.push(asker);
      },
    };
  }

  expectedMs = async (): Promise<number | null> => (this.resident ? 0 : this.loadMs);

  refusalOf(error: unknown) {
    return {
      reason: 'NOTHING_FITS',
      message: error instanceof Error ? error.message : 'unknown',
      figures: { neededBytes: 9e9, availableBytes: 4e9 },
    };
  }

  loseResident(): void {
    this.lost.abort();
  }

  loaded(): void {
    for (const { resolve } of this.waiting.splice(0)) resolve();
    this.resident = true;
  }
}

let server: TestNatsServer;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await startNatsServer();
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(async () => server[Symbol.asyncDispose]());

const connection = async (host: string): Promise<FleetConnection> => {
  const one = await connectFleet({ servers: [server.url], host, credentials: null });
  ends.push(async () => one[Symbol.asyncDispose]());
  await waitUntil(() => one.roundTrip({ deadlineMs: 1000, signal: null }), `${host} connects`);
  return one;
};

const granting = async (
  port: LeaseGrantPort,
  options: Partial<ServeLeasesOptions> = {},
): Promise<LeaseServer> => {
  const link = await connection('granting');
  const leases = serveLeases(link, port, { epoch: EPOCH, ...options });
  ends.push(async () => leases[Symbol.asyncDispose]());
  // After a round trip, the server has the subscription.
  await link.roundTrip({ deadlineMs: 5000, signal: null });
  return leases;
};

const asking = async (
  host: string,
  options: Parameters<typeof askLeases>[1] = {},
): Promise<LeaseAsker> => {
  const asker = askLeases(await connection(host), options);
  ends.push(async () => asker[Symbol.asyncDispose]());
  return asker;
};

const DEADLINE = { deadlineMs: 60_000 };

function granted(answer: LeaseAnswer) {
  if (answer.kind !== 'granted') throw new Error(`Not granted, but ${JSON.stringify(answer)}`);
  return answer.lease;
}

function promised(answer: LeaseAnswer) {
  if (answer.kind !== 'promised') throw new Error(`Not promised, but ${JSON.stringify(answer)}`);
  return answer;
}

it('grants a resident, honours its token, and releases it', async () => {
  const port = new TestPort();
  const heard: string[] = [];
  const leases = await granting(port);
  const asker = await asking('asking', {
    onAnswer: (host, epoch) => heard.push(`${host} ${epoch}`),
  });
  const lease = granted(await asker.acquire('granting', REQUEST, DEADLINE));
  expect(lease).toMatchObject({ host: 'granting', epoch: EPOCH, resident: RESIDENT });
  expect(lease.token).toBe(`${EPOCH}-1`);
  expect(heard).toEqual([`granting ${EPOCH}`]);
  expect(leases.isHonoured(lease.token)).toBe(true);
  expect(leases.isHonoured(lease.token, 'asking')).toBe(true);
  expect(leases.isHonoured(lease.token, 'somebody-else')).toBe(false);
  expect(leases.residentOf(lease.token)).toEqual(RESIDENT);
  expect(leases.list()).toMatchObject([{ asker: 'asking', requestId: 'request-1' }]);
  const end = leases.endOf(lease.token);
  expect(end?.aborted).toBe(false);
  await lease.release();
  await lease.release();
  expect(leases.isHonoured(lease.token)).toBe(false);
  expect([end?.aborted, leases.endOf(lease.token)]).toEqual([true, null]);
  expect(port.releases).toEqual(['asking']);
  expect(lease.lost.aborted).toBe(false);
});

it('promises a load with the expected time and grants it when it is loaded', async () => {
  const port = new TestPort();
  port.resident = false;
  const leases = await granting(port);
  const answer = promised(await (await asking('asking')).acquire('granting', REQUEST, DEADLINE));
  expect(answer.expectedMs).toBe(20_000);
  port.loaded();
  const lease = granted(await answer.granted());
  expect(leases.isHonoured(lease.token)).toBe(true);
});

it('keeps a promise that takes longer than one answer', async () => {
  const port = new TestPort();
  port.resident = false;
  await granting(port, { ttlMs: 2000 });
  const answer = promised(await (await asking('asking')).acquire('granting', REQUEST, DEADLINE));
  // Longer than an `await` waits (3 s), and longer than a request lives between two questions of its asker (2 s).
  await new Promise((resolve) => setTimeout(resolve, 4500));
  expect(port.cancelled).toBe(0);
  port.loaded();
  expect((await answer.granted()).kind).toBe('granted');
});

it('refuses with figures, at once or after the promise', async () => {
  const port = new TestPort();
  port.resident = false;
  await granting(port);
  const asker = await asking('asking');
  const answer = promised(await asker.acquire('granting', REQUEST, DEADLINE));
  port.waiting[0]?.reject(new Error('9 GB are needed, and 4 GB are available.'));
  const refusal = {
    kind: 'refused',
    reason: 'NOTHING_FITS',
    message: '9 GB are needed, and 4 GB are available.',
    figures: { neededBytes: 9e9, availableBytes: 4e9 },
  };
  expect(await answer.granted()).toEqual(refusal);
  port.acquire = () => Promise.reject(new Error('9 GB are needed, and 4 GB are available.'));
  expect(await asker.acquire('granting', REQUEST, DEADLINE)).toEqual(refusal);
});

it('refuses at the deadline and cancels the load', async () => {
  const port = new TestPort();
  port.resident = false;
  await granting(port);
  const asker = await asking('asking');
  const answer = promised(await asker.acquire('granting', REQUEST, { deadlineMs: 1500 }));
  const outcome = await answer.granted().catch((error: unknown) => error);
  expect(outcome).toMatchObject({ kind: 'refused', reason: 'TIMED_OUT' });
  await waitUntil(() => port.cancelled === 1, 'the load is cancelled');
});

it('cancels only the request of the asker that cancels, so that a shared load goes on', async () => {
  const port = new TestPort();
  port.resident = false;
  await granting(port);
  const [one, two] = [await asking('one'), await asking('two')];
  const stop = new AbortController();
  const first = promised(
    await one.acquire('granting', REQUEST, { ...DEADLINE, signal: stop.signal }),
  );
  const second = promised(await two.acquire('granting', REQUEST, DEADLINE));
  const reason = new Error('The client went away.');
  stop.abort(reason);
  await expect(first.granted()).rejects.toBe(reason);
  await waitUntil(() => port.cancelled === 1, 'the request of the first asker is cancelled');
  expect(port.waiting.map(({ asker }) => asker)).toEqual(['two']);
  port.loaded();
  expect((await second.granted()).kind).toBe('granted');
});

it('cancels the load of an asker that vanished', async () => {
  const port = new TestPort();
  port.resident = false;
  await granting(port, { ttlMs: 1000 });
  const link = await connection('asking');
  const asker = askLeases(link);
  promised(await asker.acquire('granting', REQUEST, DEADLINE));
  await link[Symbol.asyncDispose]();
  await waitUntil(() => port.cancelled === 1, 'the load is cancelled');
  await asker[Symbol.asyncDispose]();
});

it('renews a lease for as long as it is held', async () => {
  const port = new TestPort();
  const leases = await granting(port, { ttlMs: 4000 });
  let renewals = 0;
  const spy = await connection('spy');
  spy.subscribe('mai.host.granting.renew.asking', () => (renewals += 1));
  const lease = granted(await (await asking('asking')).acquire('granting', REQUEST, DEADLINE));
  // One renewal each second. Without renewals, the lease would have ended before the sixth.
  await waitUntil(() => renewals === 6, 'six renewals');
  expect(leases.isHonoured(lease.token)).toBe(true);
  await lease.release();
  expect(port.held).toBe(0);
});

it('ends a lease by the clock of the granting host, also where its timers have not run', async () => {
  const port = new TestPort();
  const clock = movedClock();
  const leases = await granting(port, { clock });
  const lease = granted(await (await asking('asking')).acquire('granting', REQUEST, DEADLINE));
  expect(leases.isHonoured(lease.token)).toBe(true);
  clock.move(10_001);
  expect(leases.isHonoured(lease.token)).toBe(false);
  expect(leases.list()).toEqual([]);
  await waitUntil(() => port.held === 0, 'the resident is released');
  await waitUntil(() => lease.lost.aborted, 'the asker has learned it');
  expect(lease.lost.reason).toMatchObject({ code: 'LEASE_LOST' });
});

it('tells the asker when the host does not answer in time', async () => {
  const port = new TestPort();
  const leases = await granting(port, { ttlMs: 2000 });
  const lease = granted(await (await asking('asking')).acquire('granting', REQUEST, DEADLINE));
  server.signal('SIGSTOP');
  try {
    await waitUntil(() => lease.lost.aborted, 'the lease is lost at the asker');
    await waitUntil(() => !leases.isHonoured(lease.token), 'the lease has ended at the host');
  } finally {
    server.signal('SIGCONT');
  }
  await waitUntil(() => port.held === 0, 'the resident is released');
});

it('voids the leases of the epoch before a restart', async () => {
  const port = new TestPort();
  const before = await granting(port);
  const asker = await asking('asking');
  const old = granted(await asker.acquire('granting', REQUEST, DEADLINE));
  // The process is killed: nothing is released, and another one starts.
  await ends.splice(1, 1)[0]?.();
  await before[Symbol.asyncDispose]();
  const link = await connection('granting');
  const after = serveLeases(link, new TestPort(), { epoch: '00000000000000bb' });
  ends.push(async () => after[Symbol.asyncDispose]());
  expect(after.isHonoured(old.token)).toBe(false);
  await waitUntil(() => old.lost.aborted, 'the old lease is lost');
  const fresh = granted(await asker.acquire('granting', REQUEST, DEADLINE));
  expect(fresh.token).toBe('00000000000000bb-1');
  expect(after.isHonoured(fresh.token)).toBe(true);
  expect(after.isHonoured(old.token)).toBe(false);
});

it('ends a lease on which no request has run for a minute, however often it is renewed', async () => {
  const port = new TestPort();
  const clock = movedClock();
  const leases = await granting(port, { clock, ttlMs: 600_000 });
  const asker = await asking('asking');
  const used = granted(await asker.acquire('granting', REQUEST, DEADLINE));
  const unused = granted(await asker.acquire('granting', REQUEST, DEADLINE));
  const ended = leases.began(used.token);
  clock.move(UNUSED_MS - 5000);
  const [one, other] = [leases.began(used.token), leases.began(unused.token)];
  other();
  other();
  clock.move(5000);
  leases.began('00000000000000aa-99')();
  // Both were in use less than a minute ago.
  expect(leases.list()).toHaveLength(2);
  clock.move(UNUSED_MS);
  await waitUntil(() => port.held === 1, 'the unused lease has ended');
  expect([leases.isHonoured(used.token), leases.isHonoured(unused.token)]).toEqual([true, false]);
  ended();
  one();
  clock.move(UNUSED_MS);
  await waitUntil(() => port.held === 0, 'the other lease has ended, too');
  await Promise.all([used.release(), unused.release()]);
});

it('loses the lease when the resident is lost', async () => {
  const port = new TestPort();
  const leases = await granting(port);
  const lease = granted(await (await asking('asking')).acquire('granting', REQUEST, DEADLINE));
  port.loseResident();
  expect(leases.isHonoured(lease.token)).toBe(false);
  await waitUntil(() => lease.lost.aborted, 'the asker has learned it');
});

it('lets nobody release the lease of another asker', async () => {
  const port = new TestPort();
  const leases = await granting(port);
  const sent: string[] = [];
  const spy = await connection('spy');
  spy.subscribe('mai.host.granting.acquire.*', ({ data }) =>
    sent.push(Buffer.from(data).toString()),
  );
  await spy.roundTrip({ deadlineMs: 5000, signal: null });
  const lease = granted(await (await asking('asking')).acquire('granting', REQUEST, DEADLINE));
  await waitUntil(() => sent.length === 1, 'the ticket is known');
  const { ticket } = JSON.parse(sent[0] ?? '') as { ticket: string };
  await spy.request(
    requestSubject('granting', 'release', 'spy'),
    JSON.stringify({ tickets: [ticket] }),
    { timeoutMs: 5000, signal: null },
  );
  expect(leases.isHonoured(lease.token)).toBe(true);
});

it.each([
  ['no JSON', 'x'],
  ['a wrong ticket', JSON.stringify({ ticket: 'x', deadlineMs: 1, request: REQUEST })],
  [
    'an unknown capability',
    JSON.stringify({
      ticket: 'f'.repeat(32),
      deadlineMs: 1,
      request: { ...REQUEST, capabilities: ['telepathy'] },
    }),
  ],
  ['too many bytes', JSON.stringify({ ticket: 'f'.repeat(100_000) })],
])('refuses a request with %s', async (_what, text) => {
  const port = new TestPort();
  await granting(port);
  const link = await connection('asking');
  const data = await link.request(requestSubject('granting', 'acquire', 'asking'), text, {
    timeoutMs: 10_000,
    signal: null,
  });
  expect(JSON.parse(Buffer.from(data).toString())).toMatchObject({
    kind: 'refused',
    reason: 'BAD_REQUEST',
  });
  expect(port.held).toBe(0);
});

it('refuses more leases than it allows one asker, with figures', async () => {
  const port = new TestPort();
  await granting(port);
  const asker = await asking('asking');
  const answers = await Promise.all(
    Array.from({ length: MAX_GRANTS_OF_ASKER }, () => asker.acquire('granting', REQUEST, DEADLINE)),
  );
  expect(answers.every(({ kind }) => kind === 'granted')).toBe(true);
  expect(await asker.acquire('granting', REQUEST, DEADLINE)).toMatchObject({
    kind: 'refused',
    reason: 'TOO_MANY_LEASES',
    figures: { leasesOfAsker: MAX_GRANTS_OF_ASKER, maxLeasesOfAsker: MAX_GRANTS_OF_ASKER },
  });
});

it('reports a host that does not exist', async () => {
  const asker = await asking('asking');
  await expect(asker.acquire('nobody', REQUEST, DEADLINE)).rejects.toMatchObject({
    code: 'FLEET_UNREACHABLE',
  });
});

it('gives no new lease once it drains, refuses the loads under way, and keeps the leases in force', async () => {
  const port = new TestPort();
  const leases = await granting(port);
  const asker = await asking('asking');
  const held = granted(await asker.acquire('granting', REQUEST, DEADLINE));
  port.resident = false;
  const answer = promised(await asker.acquire('granting', REQUEST, DEADLINE));
  leases.drain();
  const refused = { kind: 'refused', reason: 'STOPPING' };
  expect(await answer.granted()).toMatchObject(refused);
  expect(port.cancelled).toBe(1);
  port.resident = true;
  expect(await asker.acquire('granting', REQUEST, DEADLINE)).toMatchObject(refused);
  expect(leases.isHonoured(held.token, 'asking')).toBe(true);
  expect([held.lost.aborted, leases.endOf(held.token)?.aborted]).toEqual([false, false]);
  await held.release();
  await waitUntil(() => port.held === 0, 'the lease is released');
});

it('releases everything and refuses when the granting host stops', async () => {
  const port = new TestPort();
  const leases = await granting(port);
  const asker = await asking('asking');
  granted(await asker.acquire('granting', REQUEST, DEADLINE));
  await leases[Symbol.asyncDispose]();
  expect(port.held).toBe(0);
});
