import { joinMembers } from '../../test/join-members.js';
import { startNatsServer, type TestNatsServer } from '../../test/nats-server.js';
import { ownLoad, ownState } from '../../test/states.js';
import { waitUntil } from '../../test/wait-until.js';
import type { Heartbeat } from '../state/heartbeat.js';
import type { Members } from './members.js';
import { isLaterNamesake } from './namesake.js';

jest.setTimeout(60_000);

const own = { epoch: 'b', uptimeMs: 10_000 };
const LOAD: Omit<Heartbeat, 'epoch' | 'uptimeMs'> = {
  host: 'attic',
  sequence: 1,
  revision: 1,
  ready: true,
  running: 0,
  queued: 0,
  pressureRatio: null,
  residents: {},
};

test.each([
  { epoch: 'a', uptimeMs: 7999, isLater: true, why: 'its uptime is shorter' },
  { epoch: 'c', uptimeMs: 12_001, isLater: false, why: 'its uptime is longer' },
  {
    epoch: 'c',
    uptimeMs: 12_000,
    isLater: true,
    why: 'one of two starts at the same time gives way',
  },
  { epoch: 'a', uptimeMs: 8000, isLater: false, why: 'the other of the two does not' },
  { epoch: 'b', uptimeMs: 1, isLater: false, why: 'it is a late message of this start' },
  { epoch: 'c', uptimeMs: null, isLater: false, why: 'its uptime is not known' },
])("a heartbeat under this host's name is from a later start: $isLater, where $why", (one) => {
  const { epoch, uptimeMs, isLater } = one;
  expect(isLaterNamesake(own, { ...LOAD, epoch, uptimeMs })).toBe(isLater);
});

describe('two machines with the same keys', () => {
  let server: TestNatsServer;
  const ends: (() => Promise<unknown>)[] = [];
  beforeEach(async () => {
    server = await startNatsServer();
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    await server[Symbol.asyncDispose]();
  });

  const open = async (host: string, onDisplaced = (): void => undefined): Promise<Members> => {
    const { members, leave } = await joinMembers(server.url, host, { onDisplaced });
    ends.push(leave);
    return members;
  };

  test('the earlier one publishes nothing any more, and the others hear the later one without a break', async () => {
    const reader = await open('reader');
    const heard = () => reader.hosts().find(({ state }) => state.host === 'attic');
    let displaced = 0;
    const earlier = await open('attic', () => (displaced += 1));
    earlier.publish(ownState());
    earlier.beat(ownLoad());
    // A process that joins within two seconds would count as started at the same time.
    await waitUntil(
      () => (heard()?.heartbeat?.uptimeMs ?? 0) > 2500,
      'the earlier one has been heard for a while',
    );
    const later = await open('attic', () => (displaced += 10));
    later.publish(ownState());
    later.beat(ownLoad());
    await waitUntil(() => displaced > 0, 'the earlier one gives way');
    expect(earlier.hosts()[0]).toMatchObject({ state: { host: 'attic' }, usable: false });
    await waitUntil(() => heard()?.usable === true, 'the later one is heard');
    const epochs = new Set<string>();
    await waitUntil(() => {
      const now = heard();
      if (now?.usable === true) epochs.add(now.state.epoch);
      return (now?.heartbeat?.epoch === later.epoch && now.heartbeat.sequence >= 3) === true;
    }, 'the later one goes on');
    expect([displaced, [...epochs]]).toEqual([1, [later.epoch]]);
    // A change of the earlier one does not reach the others.
    earlier.publish({ ...ownState(), address: 'https://10.0.0.9:1' });
    await waitUntil(() => (heard()?.heartbeat?.sequence ?? 0) >= 4, 'a further heartbeat');
    expect(heard()?.state.address).toBe(ownState().address);
  });
});
