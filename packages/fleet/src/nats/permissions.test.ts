import { pairedFleet, type PairedFleet } from '../../test/paired-fleet.js';
import { ownLoad, ownState } from '../../test/states.js';
import { waitUntil } from '../../test/wait-until.js';
import { askLeases } from '../leases/ask-leases.js';
import { serveLeases } from '../leases/serve-leases.js';
import { openMembers, type Members } from '../membership/members.js';
import type { FleetConnection } from './connection.js';

// The permissions suffice for membership and leases. Denials are tested in pairing/attacks.

jest.setTimeout(120_000);

let fleet: PairedFleet;
const ends: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  fleet = await pairedFleet(['laptop']);
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await fleet[Symbol.asyncDispose]();
});

const join = async (host: string): Promise<{ link: FleetConnection; members: Members }> => {
  const link = await fleet.connect(host);
  const members = openMembers({ connection: link, watch: true });
  members.publish(ownState());
  members.beat(ownLoad());
  ends.push(async () => members[Symbol.asyncDispose]());
  return { link, members };
};

it('lets hosts do all that the fleet needs', async () => {
  const [desktop, laptop] = [await join('desktop'), await join('laptop')];
  const sees = (members: Members, host: string) => () =>
    members.hosts().some(({ state, usable }) => state.host === host && usable);
  await waitUntil(sees(desktop.members, 'laptop'), 'the desktop sees the laptop');
  await waitUntil(sees(laptop.members, 'desktop'), 'the laptop sees the desktop');
  await waitUntil(() => desktop.members.ready({ deadlineMs: 5000 }), 'the desktop is ready');

  const leases = serveLeases(
    laptop.link,
    {
      acquire: async () => ({
        resident: {
          modelKey: 'm',
          instanceIdentifier: 'm',
          tier: 'small' as const,
          capabilities: [],
          contextLengthTokens: null,
          decisionId: null,
        },
        lost: new AbortController().signal,
        release: async () => undefined,
      }),
      expectedMs: async () => 0,
      refusalOf: () => ({ reason: 'FAILED', message: '', figures: {} }),
    },
    { epoch: laptop.members.epoch },
  );
  const asker = askLeases(desktop.link);
  ends.push(async () => {
    await asker[Symbol.asyncDispose]();
    await leases[Symbol.asyncDispose]();
  });
  await laptop.link.roundTrip({ deadlineMs: 5000, signal: null });
  const answer = await asker.acquire(
    'laptop',
    {
      capabilities: [],
      minContextLengthTokens: null,
      preferredContextLengthTokens: null,
      tiers: null,
      chain: null,
      modelKey: null,
      instanceIdentifier: null,
      failed: [],
      requestId: '',
    },
    { deadlineMs: 10_000 },
  );
  if (answer.kind !== 'granted') throw new Error(`Not granted, but ${JSON.stringify(answer)}`);
  expect(leases.isHonoured(answer.lease.token, 'desktop')).toBe(true);
  await answer.lease.release();
  expect(leases.isHonoured(answer.lease.token, 'desktop')).toBe(false);
});
