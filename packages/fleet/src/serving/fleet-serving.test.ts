import { createSecureContext } from 'node:tls';
import { standingClock } from '../../test/moved-clock.js';
import { fakeLocal, LOCAL_CATALOG, type FakeLocal } from '../../test/fake-local.js';
import { hostOf, loadedModel, modelOf } from '../../test/known-hosts.js';
import { waitUntil } from '../../test/wait-until.js';
import { FleetError } from '../fleet-error.js';
import { explainPlaced } from '../journal/explain-placed.js';
import type { PlacedRequest } from '../journal/placed-request.js';
import type { HeldLease, LeaseAnswer, LeaseRequest } from '../leases/lease-types.js';
import { DEFAULT_PLACEMENT_POLICY } from '../placement/placement-input.js';
import type { KnownHost } from '../state/known-host.js';
import { createFleetServing } from './fleet-serving.js';
import { SHARE_MS } from './acquire/shared-leases.js';
import type {
  PeerOutcome,
  ServingChange,
  ServingLease,
  ServingPort,
  ServingRequest,
} from './serving-port.js';

const ANY: ServingRequest = {
  capabilities: [],
  minContextLengthTokens: null,
  preferredContextLengthTokens: null,
  tiers: null,
  chain: null,
  modelKey: null,
  instanceIdentifier: null,
  failed: [],
  promptTokens: null,
  prefixKey: null,
};
const SMALL = loadedModel({ modelKey: 'small', tier: 'small', sizeBytes: 2e9 });
const LARGE = loadedModel({ modelKey: 'large' });
const CHAINS = { chains: { default: ['large'] } };
const OWN = hostOf('laptop', [SMALL], { state: { chains: { default: ['small'] } } });

let local: FakeLocal;
let hosts: KnownHost[];
/** The answer of each other host. */
let answers: Record<string, () => Promise<LeaseAnswer>>;
let asked: [host: string, request: LeaseRequest][];
let placed: PlacedRequest[];
let chainsThatMayLeave: readonly string[] | null;
let serving: ServingPort;
let noteChange: () => void;
let clock: ReturnType<typeof standingClock>;
beforeEach(() => {
  clock = standingClock();
  local = fakeLocal();
  hosts = [
    OWN,
    hostOf('desktop', [LARGE], { state: CHAINS }),
    hostOf('tower', [LARGE], { state: CHAINS }),
  ];
  answers = { desktop: async () => granted('desktop'), tower: async () => granted('tower') };
  asked = [];
  placed = [];
  chainsThatMayLeave = null;
  serving = createFleetServing({
    local,
    ownHost: 'laptop',
    hosts: () => hosts,
    hostChanges: async function* (signal) {
      while (!signal.aborted) {
        await new Promise<void>((resolve) => {
          noteChange = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
        yield ['desktop'];
      }
    },
    asker: {
      acquire: (host, request) => {
        asked.push([host, request]);
        return (answers[host] ?? refused)();
      },
      [Symbol.asyncDispose]: async () => undefined,
    },
    policy: () => ({ ...DEFAULT_PLACEMENT_POLICY, chainsThatMayLeave }),
    tlsOf: (host) => ({
      secureContext: createSecureContext(),
      serverName: host,
      checkServer: () => undefined,
    }),
    journal: { record: (one) => placed.push(one) },
    clock,
  });
});

/** Moves the clock, and lets what waits for it go on. */
async function moveBy(ms: number): Promise<void> {
  for (let movedMs = 0; movedMs < ms; movedMs += 100) {
    clock.move(100);
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }
}

let releases = 0;
let lost: AbortController;
beforeEach(() => {
  releases = 0;
  lost = new AbortController();
});

function granted(host: string): Extract<LeaseAnswer, { kind: 'granted' }> {
  const lease: HeldLease = {
    host,
    epoch: `epoch of ${host}`,
    token: `epoch-${host}`,
    resident: {
      modelKey: 'large',
      instanceIdentifier: 'mai:large',
      tier: 'large',
      capabilities: ['chat'],
      contextLengthTokens: 16_384,
      decisionId: 'd-9',
    },
    lost: lost.signal,
    release: async () => void (releases += 1),
  };
  return { kind: 'granted', lease };
}

const refused = async (): Promise<LeaseAnswer> => ({
  kind: 'refused',
  reason: 'NOTHING_FITS',
  message: 'Nothing fits there.',
  figures: { neededBytes: 9 },
});
const unreachable = async (): Promise<LeaseAnswer> => {
  throw new FleetError('FLEET_UNREACHABLE', 'No answer.');
};

describe('without another usable host, each call goes to the port of this machine', () => {
  test.each<[string, () => KnownHost[]]>([
    ['no other host is known', () => [OWN]],
    [
      'the others are silent',
      () => [OWN, hostOf('desktop', [LARGE], { known: { usable: false } })],
    ],
    ['nothing is known, not even this machine', () => []],
    [
      'the other is a device of LM Link',
      () => [OWN, hostOf('ipad', [LARGE], { known: { kind: 'lm-link' } })],
    ],
    [
      'the other serves nobody',
      () => [OWN, hostOf('desktop', [LARGE], { state: { address: null } })],
    ],
  ])('%s', async (_name, known) => {
    hosts = known();
    expect(await serving.catalog()).toBe(LOCAL_CATALOG);
    const lease = await serving.acquire(ANY);
    expect(lease).toEqual({ ...(await local.acquire(ANY)), release: expect.any(Function) });
    expect(lease.forOneRequest).toBe(false);
    expect(local.asked[0]).toEqual(ANY);
    expect(await serving.plan(ANY)).toEqual(await local.plan(ANY));
    local.failure = Object.assign(new Error('Nothing fits.'), { code: 'NOTHING_FITS' });
    await expect(serving.acquire(ANY)).rejects.toBe(local.failure);
    expect([asked, placed]).toEqual([[], []]);
  });
});

test('the catalog lists the models of all hosts with their hosts, and residents of others with their host', async () => {
  const { models, chains, hosts: names } = await serving.catalog();
  expect(names).toEqual(['laptop', 'desktop', 'tower']);
  expect(models.map(({ modelKey, hosts: on }) => [modelKey, on])).toEqual([
    ['small', ['laptop']],
    ['large', ['desktop', 'tower']],
  ]);
  expect(models[1]).toMatchObject({
    downloaded: true,
    tier: 'large',
    maxContextLengthTokens: 32_768,
  });
  expect(models[1]?.residents.map(({ instanceIdentifier }) => instanceIdentifier)).toEqual([
    'mai:large@host:desktop',
    'mai:large@host:tower',
  ]);
  expect(models.map(({ residents }) => residents.map(({ host }) => host))).toEqual([
    ['laptop'],
    ['desktop', 'tower'],
  ]);
  expect(chains).toEqual({ default: ['large', 'small'], private: ['small'] });
});

test('a chain of another host may have the name of a property of every object', async () => {
  const chains = { ...CHAINS.chains, constructor: ['large'], toString: ['large'], valueOf: [] };
  hosts[1] = hostOf('desktop', [LARGE], { state: { chains: { ...chains, ['__proto__']: ['x'] } } });
  expect((await serving.catalog()).chains).toEqual({
    default: ['large', 'small'],
    private: ['small'],
  });
  expect((await serving.acquire(ANY)).peer?.host).toBe('desktop');
});

test.each<[string, object]>([
  ['another model', { modelKey: 'tiny', instanceIdentifier: 'mai:tiny' }],
  ['one with another identifier', { instanceIdentifier: 'mai:large:2' }],
  ['one that lacks a capability', { capabilities: [] }],
  ['one with a shorter context', { contextLengthTokens: 4096 }],
])(
  'a host that gives %s in place of the resident that it was asked for is passed over, and its lease is released',
  async (_what, other) => {
    const { kind, lease } = granted('desktop');
    answers['desktop'] = async () => ({
      kind,
      lease: { ...lease, resident: { ...lease.resident, ...other } },
    });
    const given = await serving.acquire({
      ...ANY,
      capabilities: ['chat'],
      minContextLengthTokens: 8192,
    });
    expect(given.peer?.host).toBe('tower');
    expect(placed[0]?.attempts[0]).toMatchObject({ outcome: 'refused', reason: 'WRONG_RESIDENT' });
    expect(releases).toBe(1);
  },
);

test('a request gets a lease at the best host, with its address, its token and its certificate', async () => {
  const lease = await serving.acquire({ ...ANY, capabilities: ['chat'], promptTokens: 500 });
  expect(lease).toMatchObject({
    modelKey: 'large',
    instanceIdentifier: 'mai:large@host:desktop',
    tier: 'large',
    forOneRequest: true,
    decisionId: 'd-9',
    lost: lost.signal,
    requestHeaders: { 'x-mai-lease': 'epoch-desktop' },
    baseUrl: hosts[1]?.state.address,
    peer: { host: 'desktop', instanceIdentifier: 'mai:large', tls: { serverName: 'desktop' } },
  });
  expect(asked).toMatchObject([
    ['desktop', { capabilities: ['chat'], instanceIdentifier: 'mai:large', chain: null }],
  ]);
  expect(JSON.stringify(lease)).not.toMatch(/PRIVATE|BEGIN/);
  expect([local.asked.length, placed[0]?.id]).toEqual([0, lease.placementId]);
  await lease.release();
  // Further requests may share the lease for a second.
  expect(releases).toBe(0);
  clock.move(SHARE_MS);
  expect(releases).toBe(1);
});

test('nothing of a prompt goes to another host over NATS', async () => {
  await serving.acquire({ ...ANY, promptTokens: 987_654, prefixKey: 'the start of a prompt' });
  expect(placed[0]?.placement.promptTokens).toBe(987_654);
  expect(asked).toHaveLength(1);
  expect(JSON.stringify(asked)).not.toMatch(/987654|prompt|prefix/);
});

test('a burst is spread over the hosts, because requests under way count', async () => {
  const leases = [];
  for (let count = 0; count < 4; count += 1) leases.push(await serving.acquire(ANY));
  expect(new Set(leases.map(({ peer }) => peer?.host))).toEqual(new Set(['desktop', 'tower']));
  for (const lease of leases) await lease.release();
  expect((await serving.acquire(ANY)).peer?.host).toBe('desktop');
});

test.each([
  ['refuses', refused, 'refused'],
  ['does not answer', unreachable, 'unreachable'],
])(
  'a host that %s is passed over, and the journal gives the reason with figures',
  async (_name, answer, outcome) => {
    answers['desktop'] = answer;
    const lease = await serving.acquire(ANY);
    expect(lease.peer?.host).toBe('tower');
    expect(placed[0]?.attempts.map((one) => [one.host, one.outcome])).toEqual([
      ['desktop', outcome],
      ['tower', 'granted'],
    ]);
    const [one] = placed;
    if (one === undefined) throw new Error('Nothing was placed.');
    expect(explainPlaced(one)).toMatch(
      /^tower gave the request a lease on large after 0\.0 s\.\ndesktop /,
    );
  },
);

test('a host that did not answer is not asked again for a while', async () => {
  answers['desktop'] = unreachable;
  await serving.acquire(ANY);
  const next = await serving.acquire(ANY);
  expect([asked.map(([host]) => host), next.peer?.host]).toEqual([['desktop', 'tower'], 'tower']);
});

test('where only others have the model and refuse, the error has their reasons', async () => {
  hosts = [
    OWN,
    hostOf('desktop', [LARGE], { state: CHAINS }),
    hostOf('tower', [modelOf({ modelKey: 'large' })], { state: { ...CHAINS, guests: null } }),
  ];
  answers['desktop'] = refused;
  const notFound = Object.assign(new Error('There is no model "large".'), {
    code: 'MODEL_NOT_FOUND',
  });
  local.failure = notFound;
  await expect(serving.acquire({ ...ANY, modelKey: 'large' })).rejects.toMatchObject({
    code: 'NO_HOST_SERVES',
    message:
      'No host of the fleet serves this request now. tower: large would have to be loaded, and other hosts may load nothing there now. desktop: Nothing fits there.',
    cause: notFound,
  });
  // No host has this model.
  await expect(serving.acquire({ ...ANY, modelKey: 'huge' })).rejects.toBe(notFound);
  local.failure = Object.assign(new Error('Nothing fits.'), { code: 'NOTHING_FITS' });
  await expect(serving.acquire({ ...ANY, modelKey: 'large' })).rejects.toBe(local.failure);
});

test.each([{ others: ['desktop'] }, { others: ['desktop', 'tower'] }])(
  'a model or a resident of a host that did not answer a moment ago is not called unknown, beside $others',
  async ({ others }) => {
    hosts = [OWN, ...others.map((name) => hostOf(name, name === 'desktop' ? [LARGE] : [SMALL]))];
    answers['desktop'] = unreachable;
    local.failure = Object.assign(new Error('There is no such model.'), {
      code: 'MODEL_NOT_FOUND',
    });
    const ofDesktop = { ...ANY, instanceIdentifier: 'mai:large@host:desktop' };
    await expect(serving.acquire(ofDesktop)).rejects.toMatchObject({ code: 'NO_HOST_SERVES' });
    for (const request of [ofDesktop, { ...ANY, modelKey: 'large' }]) {
      await expect(serving.acquire(request)).rejects.toMatchObject({
        code: 'NO_HOST_SERVES',
        message:
          'No host of the fleet serves this request now. No answer came a moment ago from desktop.',
      });
    }
    expect(asked).toHaveLength(1);
    await expect(serving.acquire({ ...ANY, modelKey: 'huge' })).rejects.toBe(local.failure);
  },
);

test('a host whose gateway is out of reach gets no request for a while, although it still gives leases', async () => {
  hosts = [OWN, hostOf('desktop', [LARGE], { state: CHAINS })];
  const leases = [await serving.acquire(ANY), await serving.acquire(ANY)];
  expect(leases.map(({ peer }) => peer?.host)).toEqual(['desktop', 'desktop']);
  for (const { peer } of leases) peer?.ended?.('out-of-reach');
  for (const lease of leases) await lease.release();
  /** Sends a request, and tells how it ended if it went to the other host. */
  const send = async (outcome: PeerOutcome): Promise<string> => {
    const { peer, release } = await serving.acquire(ANY);
    peer?.ended?.(outcome);
    await release();
    return peer?.host ?? 'here';
  };
  const sendAfter = async (ms: number, outcome: PeerOutcome): Promise<string> => {
    clock.move(ms);
    return send(outcome);
  };
  expect(await send('answered')).toBe('here');
  expect(await sendAfter(4999, 'answered')).toBe('here');
  expect(await sendAfter(1, 'out-of-reach')).toBe('desktop');
  // The second time in a row is twice as long, until an answer has come.
  expect(await sendAfter(9999, 'answered')).toBe('here');
  expect(await sendAfter(1, 'answered')).toBe('desktop');
  expect(await send('out-of-reach')).toBe('desktop');
  expect(await sendAfter(5000, 'answered')).toBe('desktop');
});

test('the time of an answer counts for the next placements where the host tells no speed', async () => {
  const unknown = loadedModel({ modelKey: 'large', speed: null });
  hosts = [OWN, hostOf('desktop', [unknown], { state: CHAINS })];
  const first = await serving.acquire(ANY);
  // Assumed: 1,000 tokens of a prompt in 2.5 s, and 300 tokens of an answer in 15 s.
  clock.move(3500);
  first.peer?.ended?.('answered');
  const refusedOne = await serving.acquire(ANY);
  clock.move(60_000);
  refusedOne.peer?.ended?.('failed');
  await serving.acquire(ANY);
  expect(placed.map(({ input }) => input?.seenTimes)).toEqual([
    [],
    [{ host: 'desktop', modelKey: 'large', timeRatio: 0.2, answers: 1 }],
    [{ host: 'desktop', modelKey: 'large', timeRatio: 0.2, answers: 1 }],
  ]);
});

test('the time of an answer of this machine counts, too, where it tells no speed', async () => {
  answers = {};
  const unknown = loadedModel({ modelKey: 'small', speed: null });
  hosts = [
    hostOf('laptop', [unknown], { state: { chains: { default: ['small'] } } }),
    hostOf('desktop', [], { state: CHAINS }),
  ];
  const answerWith = async (outcome: PeerOutcome): Promise<void> => {
    const lease = await serving.acquire(ANY);
    expect(lease.peer).toBeNull();
    clock.move(3500);
    lease.ended?.(outcome);
    await lease.release();
  };
  await answerWith('failed');
  await answerWith('answered');
  await answerWith('answered');
  expect(placed.map(({ input }) => input?.seenTimes)).toEqual([
    [],
    [],
    [{ host: 'laptop', modelKey: 'small', timeRatio: 0.2, answers: 1 }],
  ]);
});

test('requests that follow each other within a second ask each host once', async () => {
  const leases = [];
  for (let i = 0; i < 6; i += 1) leases.push(await serving.acquire(ANY));
  expect(asked.map(([host]) => host).sort()).toEqual(['desktop', 'tower']);
  expect(new Set(leases.map(({ placementId }) => placementId)).size).toBe(6);
  expect(new Set(leases.map(({ peer }) => peer?.host))).toEqual(new Set(['desktop', 'tower']));
});

test('requests for a resident at the same time ask its host once', async () => {
  hosts = [OWN, hostOf('desktop', [LARGE], { state: CHAINS })];
  const leases = await Promise.all(Array.from({ length: 4 }, () => serving.acquire(ANY)));
  expect(asked).toHaveLength(1);
  expect(new Set(leases.map(({ placementId }) => placementId)).size).toBe(4);
});

test('where the client of the first of such requests goes, the others get their answer', async () => {
  hosts = [OWN, hostOf('desktop', [LARGE], { state: CHAINS })];
  const client = new AbortController();
  const answer = answers['desktop'];
  answers['desktop'] = () =>
    new Promise((_, reject) =>
      client.signal.addEventListener('abort', () => reject(client.signal.reason as Error)),
    );
  const first = serving.acquire(ANY, { signal: client.signal });
  const second = serving.acquire(ANY);
  await waitUntil(() => asked.length === 1, 'the desktop is asked');
  if (answer !== undefined) answers['desktop'] = answer;
  client.abort(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  expect((await second).peer?.host).toBe('desktop');
});

test('a host that does not answer the first of such requests is not asked by the others', async () => {
  hosts = [OWN, hostOf('desktop', [LARGE], { state: CHAINS })];
  answers['desktop'] = unreachable;
  const leases = await Promise.all(Array.from({ length: 3 }, () => serving.acquire(ANY)));
  expect(leases.map(({ peer }) => peer)).toEqual([null, null, null]);
  expect(asked).toHaveLength(1);
});

test('a lease of a host that has restarted since serves no further request', async () => {
  hosts = [OWN, hostOf('desktop', [LARGE], { state: CHAINS })];
  await (await serving.acquire(ANY)).release();
  const epoch = 'new';
  hosts = [OWN, hostOf('desktop', [LARGE], { state: { ...CHAINS, epoch }, heartbeat: { epoch } })];
  await serving.acquire(ANY);
  expect(asked).toHaveLength(2);
});

test('a host that did not answer is not asked for another of its models, and this machine is asked once', async () => {
  const both = [LARGE, loadedModel({ modelKey: 'small', tier: 'small' })];
  hosts = [OWN, hostOf('desktop', both, { state: { chains: { default: ['large', 'small'] } } })];
  answers['desktop'] = unreachable;
  local.failure = Object.assign(new Error('Nothing fits.'), { code: 'NOTHING_FITS' });
  await expect(serving.acquire(ANY)).rejects.toBe(local.failure);
  expect(placed[0]?.placement.alternatives.length).toBeGreaterThan(2);
  expect([asked.length, local.asked.length]).toEqual([1, 1]);
});

describe('a machine that gives no lease in time', () => {
  const both = loadedModel({ modelKey: 'small', tier: 'small' });
  let give: ((lease: ServingLease) => void)[];
  let fail: (error: Error) => void;
  let lease: ServingLease;
  beforeEach(async () => {
    lease = await local.acquire(ANY);
    give = [];
    local.acquire = () =>
      new Promise((resolve, reject) => {
        give.push(resolve);
        fail = reject;
      });
    hosts = [
      hostOf('laptop', [both], { state: { chains: { default: ['small'] } } }),
      hostOf('tower', [both], {
        state: { chains: { default: ['small'] } },
        requests: { 'mai:small': 9 },
      }),
    ];
    const { kind, lease: other } = granted('tower');
    const resident = { ...other.resident, modelKey: 'small', instanceIdentifier: 'mai:small' };
    answers = { tower: async () => ({ kind, lease: { ...other, resident } }) };
  });

  test('is passed over after 3 s, and its lease is released when it comes', async () => {
    const waiting = serving.acquire(ANY);
    await waitUntil(() => give.length === 1, 'this machine is asked');
    await moveBy(2900);
    expect(asked).toEqual([]);
    await moveBy(100);
    expect((await waiting).peer?.host).toBe('tower');
    expect(placed[0]?.attempts).toMatchObject([
      { host: 'laptop', outcome: 'unreachable', message: 'This machine gave no lease within 3 s.' },
      { host: 'tower', outcome: 'granted' },
    ]);
    // For 5 s it is asked after the others.
    expect((await serving.acquire(ANY)).peer?.host).toBe('tower');
    expect(give).toHaveLength(1);
    give[0]?.(lease);
    await moveBy(SHARE_MS + 100);
    expect(local.released).toBe(1);
    await moveBy(5000);
    const again = serving.acquire(ANY);
    await waitUntil(() => give.length === 2, 'this machine is asked again');
    give[1]?.(lease);
    expect((await again).peer).toBeNull();
  });

  test('is waited for where the others refuse', async () => {
    answers = {};
    const waiting = serving.acquire(ANY);
    await waitUntil(() => give.length === 1, 'this machine is asked');
    await moveBy(3000);
    await waitUntil(() => asked.length === 1, 'the tower is asked');
    await moveBy(60_000);
    expect(give).toHaveLength(1);
    give[0]?.(lease);
    expect((await waiting).peer).toBeNull();
    expect(placed[0]?.attempts.map(({ host, outcome }) => [host, outcome])).toEqual([
      ['laptop', 'unreachable'],
      ['tower', 'refused'],
      ['laptop', 'granted'],
    ]);
  });

  test('fails with its own error where the others refuse, too', async () => {
    answers = {};
    const waiting = serving.acquire(ANY);
    await waitUntil(() => give.length === 1, 'this machine is asked');
    await moveBy(3000);
    await waitUntil(() => asked.length === 1, 'the tower is asked');
    const error = Object.assign(new Error('Nothing fits.'), { code: 'NOTHING_FITS' });
    fail(error);
    await expect(waiting).rejects.toBe(error);
  });

  test('is waited for without a limit where no other host is known to serve', async () => {
    hosts = hosts.slice(0, 1).concat(hostOf('tower', []));
    const waiting = serving.acquire(ANY);
    await waitUntil(() => give.length === 1, 'this machine is asked');
    await moveBy(60_000);
    give[0]?.(lease);
    expect((await waiting).peer).toBeNull();
    expect(asked).toEqual([]);
  });
});

test('where everybody else refuses, this machine serves; where it refuses too, the error is its own', async () => {
  answers = {};
  const lease = await serving.acquire(ANY);
  expect(lease).toMatchObject({ modelKey: 'small', forOneRequest: true, peer: null });
  clock.move(SHARE_MS);
  local.failure = Object.assign(new Error('Nothing fits.'), { code: 'NOTHING_FITS' });
  await expect(serving.acquire(ANY)).rejects.toBe(local.failure);
});

test('a promise is waited for', async () => {
  answers['desktop'] = async () => ({
    kind: 'promised',
    expectedMs: 5000,
    cancel: async () => undefined,
    granted: async () => granted('desktop'),
  });
  expect((await serving.acquire(ANY)).peer?.host).toBe('desktop');
});

test('a promise that is not kept in twice the expected time is given up, and another host is asked', async () => {
  let cancelled = 0;
  let keepLate = (): void => undefined;
  answers['desktop'] = async () => ({
    kind: 'promised',
    expectedMs: 100,
    cancel: async () => void (cancelled += 1),
    granted: () => new Promise((resolve) => (keepLate = () => resolve(granted('desktop')))),
  });
  const waiting = serving.acquire(ANY);
  await waitUntil(() => asked.length === 1, 'the desktop is asked');
  await moveBy(3100);
  expect([asked.length, cancelled]).toEqual([1, 0]);
  await moveBy(100);
  expect((await waiting).peer?.host).toBe('tower');
  expect([cancelled, placed[0]?.attempts[0]?.message]).toEqual([
    1,
    'desktop promised a lease, and did not give it within 3 s.',
  ]);
  expect(releases).toBe(0);
  keepLate();
  await waitUntil(() => releases === 1, 'the lease that came late is released');
});

test('a promised time without end is not believed where another host is known to serve', async () => {
  let cancelled = 0;
  answers['desktop'] = async () => ({
    kind: 'promised',
    expectedMs: Number.MAX_SAFE_INTEGER,
    cancel: async () => void (cancelled += 1),
    granted: () => new Promise(() => undefined),
  });
  const waiting = serving.acquire(ANY);
  await waitUntil(() => asked.length === 1, 'the desktop is asked');
  await moveBy(122_900);
  expect([asked.length, cancelled]).toEqual([1, 0]);
  await moveBy(100);
  expect((await waiting).peer?.host).toBe('tower');
  expect(cancelled).toBe(1);
});

test('a promise is waited for however long it takes, where no other host is known to serve', async () => {
  hosts = [hostOf('laptop', []), hostOf('desktop', [LARGE], { state: CHAINS })];
  let keep = (): void => undefined;
  answers['desktop'] = async () => ({
    kind: 'promised',
    expectedMs: 100,
    cancel: async () => undefined,
    granted: () => new Promise((resolve) => (keep = () => resolve(granted('desktop')))),
  });
  const waiting = serving.acquire(ANY);
  await waitUntil(() => asked.length === 1, 'the desktop is asked');
  clock.move(300_000);
  keep();
  expect((await waiting).peer?.host).toBe('desktop');
});

test('a promise of a host that no longer sends heartbeats is given up, also where no other host is known to serve', async () => {
  hosts = [OWN, hostOf('desktop', [LARGE], { state: CHAINS })];
  let cancelled = 0;
  answers['desktop'] = async () => ({
    kind: 'promised',
    expectedMs: 60_000,
    cancel: async () => void (cancelled += 1),
    granted: () => new Promise(() => undefined),
  });
  const waiting = serving.acquire(ANY);
  await waitUntil(() => asked.length === 1, 'the desktop is asked');
  await moveBy(60_000);
  expect(cancelled).toBe(0);
  hosts = [OWN, hostOf('desktop', [LARGE], { state: CHAINS, known: { usable: false } })];
  await moveBy(1000);
  expect((await waiting).peer).toBeNull();
  expect([cancelled, placed[0]?.attempts[0]?.message]).toEqual([
    1,
    'desktop promised a lease, and no longer sends heartbeats.',
  ]);
});

test('requests for the same resident of this machine within a second share a lease', async () => {
  answers = {};
  const first = await serving.acquire(ANY);
  const second = await serving.acquire(ANY);
  expect([first.peer, second.peer, local.asked.length]).toEqual([null, null, 1]);
  expect(second.placementId).not.toBe(first.placementId);
  await first.release();
  clock.move(SHARE_MS);
  expect(local.released).toBe(0);
  await second.release();
  expect(local.released).toBe(1);
  await serving.acquire(ANY);
  expect(local.asked).toHaveLength(2);
});

test('a host that becomes silent while another one is asked is not asked', async () => {
  answers['desktop'] = async () => {
    hosts = [OWN, hostOf('tower', [LARGE], { known: { usable: false, silentMs: 6001 } })];
    return refused();
  };
  expect((await serving.acquire(ANY)).peer).toBeNull();
  expect(asked.map(([host]) => host)).toEqual(['desktop']);
});

test('a cancelled request asks nobody else', async () => {
  const stop = new AbortController();
  answers['desktop'] = async () => {
    stop.abort(new Error('The client has gone.'));
    return unreachable();
  };
  await expect(serving.acquire(ANY, { signal: stop.signal })).rejects.toThrow(
    'The client has gone.',
  );
  expect(asked).toHaveLength(1);
});

test('a failed resident of another host is named to that host only', async () => {
  const failed = ['mai:large@host:desktop', 'mai:small'];
  const lease = await serving.acquire({ ...ANY, failed });
  expect(lease.peer?.host).toBe('tower');
  expect(asked).toEqual([['tower', expect.objectContaining({ failed: [] })]]);
  answers = {};
  await serving.acquire({ ...ANY, failed: [...failed, 'mai:large@host:tower'] });
  expect(local.asked.at(-1)?.failed).toEqual(['mai:small']);
});

test('a request for a resident of another host goes there, and one of this machine stays', async () => {
  const there = await serving.acquire({ ...ANY, instanceIdentifier: 'mai:large@host:tower' });
  expect([there.peer?.host, asked[0]?.[1].instanceIdentifier]).toEqual(['tower', 'mai:large']);
  const here = await serving.acquire({ ...ANY, instanceIdentifier: 'mai:small' });
  expect([here.peer, asked.length]).toEqual([null, 1]);
});

test('a chain that may not leave stays on this machine', async () => {
  chainsThatMayLeave = ['default'];
  expect((await serving.acquire({ ...ANY, chain: 'private' })).peer).toBeNull();
  expect((await serving.acquire(ANY)).peer?.host).toBe('desktop');
});

test('a plan tells the model of the host that would serve, and unloads nothing here', async () => {
  expect(await serving.plan(ANY)).toMatchObject({
    decision: 'serve',
    modelKey: 'large',
    unloads: [],
  });
});

test('a change of another host wakes the gateway once, and its heartbeats do not', async () => {
  const stop = new AbortController();
  const changes: ServingChange[] = [];
  const reading = (async () => {
    for await (const change of serving.changes({ signal: stop.signal })) changes.push(change);
  })();
  const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
  await settle();
  noteChange();
  await settle();
  expect(changes).toEqual([]);
  hosts = [OWN, hostOf('desktop', [modelOf()], { state: { revision: 7 } })];
  noteChange();
  while (changes.length === 0) await settle();
  expect(changes).toEqual([{ type: 'catalog' }]);
  local.change({ type: 'switched' });
  while (changes.length === 1) await settle();
  expect(changes[1]).toEqual({ type: 'switched' });
  stop.abort();
  await reading;
});
