import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeAuthority, makeCertificate, type TestCertificate } from '../test/certificates.js';
import { isWhole, talk } from '../test/talk.js';
import { openFront } from '../test/worlds/open-front.js';
import { LARGE, openWorld, type GatewayWorld } from '../test/worlds/open-world.js';
import { createGateway, type Gateway, type Listening, type PeerOutcome } from './index.js';

// A cut of the way to another host: packets are dropped by a real firewall, so no connection ends. Linux, as root, with nftables.

jest.setTimeout(120_000);

const TABLE = `mai-test-${process.pid}`;

function nft(...lines: readonly string[]): void {
  execFileSync('nft', ['-f', '-'], {
    input: `${lines.join('\n')}\n`,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
}

function canCut(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    nft(`add table inet ${TABLE}`, `delete table inet ${TABLE}`);
    return true;
  } catch {
    // No nftables, or a container that may not use them.
    return false;
  }
}

const CHAT = '/v1/chat/completions';
const ASK = { model: LARGE, messages: [{ role: 'user', content: 'Hello' }] };

let folder: string;
let world: GatewayWorld;
let peer: Gateway;
let listening: Listening;
let front: { readonly gateway: Gateway; readonly url: string };
let outcomes: PeerOutcome[];
/** Fires when the holder is to end its lease. */
let lease: AbortController;
/** The resident of the last lease. */
let resident: string | null;

/**
 * Nothing reaches the port of host-b, and nothing comes back from it.
 *
 * @param toHost - what the firewall does with packets to the port. Those that come back are dropped, except for resets
 */
function cut(toHost = 'drop'): void {
  const { port } = listening;
  nft(
    `add table inet ${TABLE}`,
    `add chain inet ${TABLE} in { type filter hook input priority 0; }`,
    `add rule inet ${TABLE} in tcp dport ${port} ${toHost}`,
    // The reset with which the firewall itself refuses a connection.
    `add rule inet ${TABLE} in tcp sport ${port} tcp flags & rst == rst accept`,
    `add rule inet ${TABLE} in tcp sport ${port} drop`,
  );
}
function heal(): void {
  nft(`add table inet ${TABLE}`, `delete table inet ${TABLE}`);
}

async function open(simulated: Parameters<typeof openWorld>[1]): Promise<void> {
  world = await openWorld({}, simulated);
  peer = await createGateway(
    { serving: world.host.serving },
    {
      peers: {
        hostOf: () => 'host-a',
        residentOf: () => resident,
        endOf: () => lease.signal,
      },
    },
  );
  const authority = await makeAuthority(folder, 'authority');
  const [client, server]: TestCertificate[] = [
    await makeCertificate(folder, 'authority', 'host-a'),
    await makeCertificate(folder, 'authority', 'host-b'),
  ];
  if (client === undefined || server === undefined) throw new Error('No certificates.');
  const { cert, key } = server;
  listening = await peer.listen({ port: 0, tls: { cert, key, clientCa: authority.cert } });
  front = await openFront({
    host: world.host,
    authority,
    client,
    port: listening.port,
    change: (given) => {
      resident = given.peer?.instanceIdentifier ?? null;
      return {
        ...given,
        peer: given.peer && { ...given.peer, ended: (outcome) => void outcomes.push(outcome) },
      };
    },
  });
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-cut-'));
  outcomes = [];
  lease = new AbortController();
});
afterEach(async () => {
  heal();
  for (const gateway of [front.gateway, peer]) await gateway[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

(canCut() ? describe : describe.skip)('when the way to another host is cut', () => {
  test('a request on a connection that stood before is answered elsewhere, and its client sees no error', async () => {
    await open({});
    expect(isWhole(await talk(front.url, CHAT, ASK).end)).toBe(true);
    cut();
    const ending = await talk(front.url, CHAT, { ...ASK, stream: true }).end;
    expect(isWhole(ending)).toBe(true);
    expect(ending.headers['x-mai-host']).toBeUndefined();
    expect([ending.headers['x-mai-fallbacks'], outcomes]).toEqual([
      '1',
      ['answered', 'out-of-reach'],
    ]);
  });

  test('a request that waits for its first token is answered elsewhere, and the other host ends it with the lease', async () => {
    // The prompt of some tokens takes half a minute.
    await open({ speed: 1, world: { machine: { promptTokensPerSecond: 0.2 } } });
    const running = talk(front.url, CHAT, ASK);
    const asked = () => world.simulator.requests.filter(({ endpoint }) => endpoint === CHAT);
    await until(() => asked().length === 1);
    cut();
    await until(() => asked().length === 2);
    expect(outcomes).toEqual(['out-of-reach']);
    const ended = () =>
      world.simulator.requests.filter(({ endpoint }) => endpoint === 'disconnect').length;
    expect(ended()).toBe(0);
    lease.abort(new Error('The asker has given up.'));
    await until(() => ended() === 1);
    running.leave();
    await running.end;
  });

  // A firewall that refuses instead of dropping. The connection of the request does not end by that: Linux takes an ICMP message for an
  // open connection as advice, and the packets of the open connection are dropped.
  test.each([
    ['a reset', 'reject with tcp reset'],
    ['ICMP: port unreachable', 'reject'],
    ['ICMP: host unreachable', 'reject with icmpx host-unreachable'],
    ['ICMP: administratively prohibited', 'reject with icmpx admin-prohibited'],
  ])(
    'and each new connection gets %s, a request that waits is answered elsewhere',
    async (_what, reject) => {
      await open({ speed: 1, world: { machine: { promptTokensPerSecond: 0.2 } } });
      const running = talk(front.url, CHAT, ASK);
      const asked = () => world.simulator.requests.filter(({ endpoint }) => endpoint === CHAT);
      await until(() => asked().length === 1);
      // Only packets that open a connection are refused. Those of the open one are dropped.
      cut(`tcp flags syn / fin,syn,rst,ack ${reject}`);
      nft(`add rule inet ${TABLE} in tcp dport ${listening.port} drop`);
      await until(() => asked().length === 2);
      expect(outcomes).toEqual(['out-of-reach']);
      lease.abort(new Error('The asker has given up.'));
      running.leave();
      await running.end;
    },
  );

  test('a stream that has begun ends with an error of its protocol', async () => {
    await open({
      speed: 1,
      world: { models: [{ modelKey: LARGE, sizeBytes: 1e9, tokensPerSecond: 2 }] },
    });
    const running = talk(front.url, CHAT, { ...ASK, stream: true, max_tokens: 200 });
    await running.first;
    cut();
    const { text, broken } = await running.end;
    expect(broken).toBe(false);
    const last = text
      .split('\n')
      .filter((line) => line.startsWith('data: {'))
      .at(-1);
    expect(JSON.parse(last?.slice('data: '.length) ?? '').error.message).toMatch(
      /stopped in the middle of its answer: Nothing arrives from the other host any more/,
    );
    expect(outcomes).toEqual(['out-of-reach']);
  });

  test('a cut of two seconds ends nothing', async () => {
    await open({ speed: 1, world: { machine: { promptTokensPerSecond: 0.5 } } });
    const running = talk(front.url, CHAT, ASK);
    await until(() => world.simulator.requests.some(({ endpoint }) => endpoint === CHAT));
    cut();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    heal();
    const ending = await running.end;
    expect([isWhole(ending), ending.headers['x-mai-host']]).toEqual([true, 'host-b']);
  });
});

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 50));
}
