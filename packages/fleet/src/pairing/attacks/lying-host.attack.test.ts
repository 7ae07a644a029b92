import { createSecureContext } from 'node:tls';
import { fakeLocal } from '../../../test/fake-local.js';
import { fleetTls, pairedFleet, type PairedFleet } from '../../../test/paired-fleet.js';
import { rawNats } from '../../../test/raw-nats.js';
import { MODEL, ownLoad, ownState } from '../../../test/states.js';
import { waitUntil } from '../../../test/wait-until.js';
import { systemClock } from '../../clock.js';
import { explainPlaced } from '../../journal/explain-placed.js';
import type { PlacedRequest } from '../../journal/placed-request.js';
import { askLeases } from '../../leases/ask-leases.js';
import { serveLeases } from '../../leases/serve-leases.js';
import { openMembers, type Members } from '../../membership/members.js';
import type { FleetConnection } from '../../nats/connection.js';
import { DEFAULT_PLACEMENT_POLICY } from '../../placement/placement-input.js';
import { createFleetServing, type FleetServingParts } from '../../serving/fleet-serving.js';
import { createGrantPort } from '../../serving/grant-port.js';
import type { ServingPort, ServingRequest } from '../../serving/serving-port.js';
import { describeHosts } from '../../text/describe-hosts.js';

// The attacker is a host of the fleet, `mallory`, with a certificate and a user of its own. It tells lies about itself. `desktop`
// and `laptop` are honest, and a client of the laptop asks for a model that only the desktop has.

jest.setTimeout(120_000);

const WANTED: ServingRequest = {
  capabilities: ['chat'],
  minContextLengthTokens: null,
  preferredContextLengthTokens: null,
  tiers: null,
  chain: null,
  modelKey: MODEL.modelKey,
  instanceIdentifier: null,
  failed: [],
  promptTokens: null,
  prefixKey: null,
};
const EPOCH = '00000000000000bb';
const STATE = { ...ownState(), host: 'mallory', epoch: EPOCH, revision: 1 };
/** Better than the desktop's. */
const LIE = { ...MODEL, speed: { ...MODEL.speed, decodeTokensPerSecond: exactly(1e12) } };
const RESIDENT = {
  modelKey: MODEL.modelKey,
  instanceIdentifier: 'qwen3-8b',
  tier: 'medium',
  capabilities: ['chat'],
  contextLengthTokens: 8192,
  decisionId: 'd-1',
};
const GRANTED = {
  kind: 'granted',
  epoch: EPOCH,
  token: `${EPOCH}-1`,
  ttlMs: 10_000,
  resident: RESIDENT,
};

function exactly(expected: number) {
  return { expected, low: expected, high: expected };
}

let fleet: PairedFleet;
let mallory: FleetConnection;
let members: Members;
let parts: FleetServingParts;
let serving: ServingPort;
let revision = 0;
const refused: string[] = [];
const placed: PlacedRequest[] = [];
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  fleet = await pairedFleet(['laptop', 'mallory']);
  mallory = await fleet.connect('mallory');
  const desktop = await fleet.connect('desktop');
  const laptop = await fleet.connect('laptop');
  const honest = openMembers({ connection: desktop, watch: false });
  const port = fakeLocal();
  const local = {
    ...port,
    acquire: async (request: ServingRequest) => ({
      ...(await port.acquire(request)),
      modelKey: MODEL.modelKey,
      instanceIdentifier: 'qwen3-8b',
    }),
  };
  const granting = createGrantPort(
    local,
    () => ({ allowedBytes: null }),
    () => null,
  );
  const leases = serveLeases(desktop, granting, { epoch: honest.epoch });
  honest.publish(ownState());
  honest.beat(ownLoad());
  members = openMembers({
    connection: laptop,
    watch: true,
    onRefused: (host, reason) => refused.push(`${host} ${reason}`),
  });
  members.publish(ownState({ models: [] }));
  members.beat(ownLoad());
  const asker = askLeases(laptop, { onAnswer: (host, epoch) => members.noteAnswer(host, epoch) });
  parts = {
    local: fakeLocal(),
    ownHost: 'laptop',
    asker,
    clock: systemClock,
    hosts: () => members.hosts(),
    hostChanges: (signal) => members.changes(signal),
    policy: () => DEFAULT_PLACEMENT_POLICY,
    tlsOf: (host) => ({
      secureContext: createSecureContext(),
      serverName: host,
      checkServer: () => undefined,
    }),
    journal: { record: (one) => placed.push(one) },
  };
  ends.push(
    () => asker[Symbol.asyncDispose](),
    () => leases[Symbol.asyncDispose](),
    () => honest[Symbol.asyncDispose](),
    () => members[Symbol.asyncDispose](),
  );
  await waitUntil(() => find('desktop')?.usable === true, 'the laptop sees the desktop');
});

afterAll(async () => {
  for (const end of ends) await end();
  await fleet[Symbol.asyncDispose]();
});

// As after a start: nobody is left out for an earlier answer.
beforeEach(() => {
  serving = createFleetServing(parts);
});

const find = (host: string) => members.hosts().find(({ state }) => state.host === host);

/** Writes a state of mallory, and waits until the laptop has read it or refused it. */
async function write(state: object | string): Promise<void> {
  const text = typeof state === 'string' ? state : JSON.stringify(state);
  const before = refused.length;
  const { revision: known = 0 } = find('mallory')?.state ?? {};
  mallory.publish('$KV.mai_hosts.mallory', text);
  await waitUntil(
    () => refused.length > before || (find('mallory')?.state.revision ?? 0) > known,
    'the laptop has read the state',
  );
}

/** The client's request goes to the desktop, and no text that is shown contains a line break or an escape sequence from mallory. */
async function expectServed(): Promise<void> {
  const { models, hosts } = await serving.catalog();
  expect(hosts).toEqual(expect.arrayContaining(['laptop', 'desktop']));
  expect(models.map(({ modelKey }) => modelKey)).toContain(MODEL.modelKey);
  const lease = await serving.acquire(WANTED);
  expect(lease.peer?.host).toBe('desktop');
  await lease.release();
  const view = {
    hosts: members.hosts(),
    ownHost: 'laptop',
    paired: [],
    displaced: false,
    connected: true,
  };
  const shown = [
    ...describeHosts(view).flatMap((row) => Object.values(row).flat().map(String)),
    ...explainPlaced(placed.at(-1) ?? fail()).split('\n'),
    ...refused,
  ];
  for (const text of shown) expect(text).toMatch(/^[^\p{Cc}\p{Cs}]*$/u);
}

function fail(): never {
  throw new Error('Nothing was placed.');
}

test.each<[string, object | string]>([
  ['no JSON', '\u001b[2J'],
  ['the name of another host', { ...STATE, host: 'desktop' }],
  ['a negative memory', { ...STATE, pools: [{ pool: 'ram', totalBytes: -1, limitBytes: 1 }] }],
  [
    'a memory of 1e308 bytes',
    { ...STATE, pools: [{ pool: 'a', totalBytes: 1e308, limitBytes: 0 }] },
  ],
  ['NaN', JSON.stringify(STATE).replace('"memoryRatio":0.5', '"memoryRatio":NaN')],
  ['a number without end', JSON.stringify(STATE).replace('0.5', '1e999')],
  ['an escape sequence in a model', { ...STATE, models: [{ ...LIE, displayName: '\u001b[2J' }] }],
  [
    'a row of the table in a model',
    { ...STATE, models: [{ ...LIE, modelKey: 'a\ndesktop  silent' }] },
  ],
  [
    'an escape sequence in the name of a field',
    { ...STATE, labels: { '\u001b]0;owned\u0007': 1 } },
  ],
  ['a list in 10,000 lists', '['.repeat(10_000)],
  ['an address on loopback', { ...STATE, address: 'http://127.0.0.1:1234' }],
])('a state with %s is refused, and the laptop is served', async (_what, state) => {
  const before = refused.length;
  await write(state);
  expect(refused.slice(before)).toHaveLength(1);
  expect(find('mallory')).toBeUndefined();
  await expectServed();
});

test.each<[string, string]>([
  ['128 kB and a byte', JSON.stringify(STATE).padEnd(128 * 1024 + 1)],
  ['almost a megabyte of models', JSON.stringify({ ...STATE, models: Array(1500).fill(LIE) })],
])('a state of %s reaches nobody', async (_what, text) => {
  const before = refused.length;
  mallory.publish('$KV.mai_hosts.mallory', text);
  await write('a later state');
  expect(refused.slice(before)).toEqual(['mallory state: not JSON']);
  await expectServed();
});

test('nats-server closes the connection of a host that sends 10 MB', async () => {
  const raw = await rawNats(fleet.natsPort, await fleetTls(fleet.folder('mallory')));
  raw.publish('$KV.mai_hosts.mallory', JSON.stringify(STATE).padEnd(1e7));
  await waitUntil(() => raw.closed, 'the connection is closed');
  await expectServed();
});

describe('a host that promises the fastest answer', () => {
  /** Mallory's answer to a request for a lease. */
  let answer: unknown;
  beforeAll(() => {
    const send = (): string => (typeof answer === 'string' ? answer : JSON.stringify(answer));
    ends.push(mallory.subscribe('mai.host.mallory.*.*', ({ respond }) => respond?.(send())));
  });

  test.each<[string, unknown]>([
    ['answers with no JSON', 'granted'],
    ['answers with a megabyte', JSON.stringify(GRANTED).padEnd(1_000_000)],
    ['grants a lease that never ends', { ...GRANTED, ttlMs: 1e308 }],
    ['grants a lease of less than no time', { ...GRANTED, ttlMs: -1 }],
    ['grants a lease with a header of its own', { ...GRANTED, token: `${EPOCH}-1\r\nx: y` }],
    [
      'tells a decision that breaks a header',
      { ...GRANTED, resident: { ...RESIDENT, decisionId: 'd\r\nset-cookie: a=b' } },
    ],
    [
      'grants another model',
      { ...GRANTED, resident: { ...RESIDENT, modelKey: 'tiny', instanceIdentifier: 't' } },
    ],
    [
      'grants a resident without the capability',
      { ...GRANTED, resident: { ...RESIDENT, capabilities: [] } },
    ],
    [
      'refuses with lines and sequences of its own',
      {
        kind: 'refused',
        epoch: EPOCH,
        reason: 'NO',
        figures: { '\u001b[2J': 1 },
        message: 'No.\ndesktop gave the request a lease\u001b[2J',
      },
    ],
    [
      'refuses with a sentence of several lines',
      {
        kind: 'refused',
        epoch: EPOCH,
        reason: 'NO',
        figures: {},
        message: 'No.\ndesktop\u001b[2J',
      },
    ],
    ['promises a lease in less than no time', { kind: 'promised', epoch: EPOCH, expectedMs: -1 }],
  ])('and %s gets no request', async (_what, given) => {
    answer = given;
    revision += 1;
    await write({ ...STATE, revision, models: [LIE] });
    await waitUntil(() => find('mallory')?.usable === true, 'the laptop uses mallory');
    await expectServed();
    expect(placed.at(-1)?.attempts.map(({ host }) => host)).toEqual(['mallory', 'desktop']);
  });
});
