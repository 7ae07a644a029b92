import { standingClock } from '../../../test/moved-clock.js';
import type { HeldLease } from '../../leases/lease-types.js';
import { createSharedLeases, SHARE_MS, type SharedLeases } from './shared-leases.js';

let clock: ReturnType<typeof standingClock>;
let shared: SharedLeases<HeldLease>;
let released: string[];
let lost: AbortController;
beforeEach(() => {
  clock = standingClock();
  shared = createSharedLeases(clock, ({ host }) => host);
  released = [];
  lost = new AbortController();
});

const leaseOf = (token: string, host = 'desktop'): HeldLease => ({
  host,
  epoch: 'epoch',
  token,
  lost: lost.signal,
  resident: {
    modelKey: 'large',
    instanceIdentifier: 'mai:large',
    tier: 'large',
    capabilities: ['chat'],
    contextLengthTokens: 16_384,
    decisionId: null,
  },
  release: async () => void released.push(token),
});
const any = () => true;

test('requests of the next second share a lease, which is released after the last of them', async () => {
  const first = shared.share(leaseOf('one'));
  const second = shared.take(any);
  expect(second?.token).toBe('one');
  await first.release();
  clock.move(SHARE_MS);
  expect(released).toEqual([]);
  await second?.release();
  expect(released).toEqual(['one']);
});

test('a lease that nobody uses is released when the second is over', async () => {
  await shared.share(leaseOf('one')).release();
  clock.move(SHARE_MS - 1);
  expect(released).toEqual([]);
  clock.move(1);
  expect(released).toEqual(['one']);
});

test.each<[string, () => unknown]>([
  ['after a second', () => clock.move(SHARE_MS)],
  ['once it is lost', () => lost.abort()],
])('takes no further request %s', (_when, happens) => {
  shared.share(leaseOf('one'));
  expect(shared.take(any)).not.toBeNull();
  happens();
  expect(shared.take(any)).toBeNull();
});

test('serves only requests that it meets', () => {
  shared.share(leaseOf('one'));
  shared.share(leaseOf('two', 'tower'));
  expect(shared.take(({ host }) => host === 'tower')?.token).toBe('two');
  expect(shared.take(({ resident }) => resident.modelKey === 'other')).toBeNull();
});

test('a request that releases twice does not end the lease of another one', async () => {
  const first = shared.share(leaseOf('one'));
  const second = shared.take(any);
  clock.move(SHARE_MS);
  await first.release();
  await first.release();
  expect(released).toEqual([]);
  await second?.release();
  expect(released).toEqual(['one']);
});

test('a newer lease takes the place of an older one, and both are released once', async () => {
  const first = shared.share(leaseOf('one'));
  const second = shared.share(leaseOf('two'));
  const third = shared.take(any);
  expect(third?.token).toBe('two');
  await first.release();
  expect(released).toEqual(['one']);
  clock.move(SHARE_MS);
  await second.release();
  await third?.release();
  expect(released).toEqual(['one', 'two']);
});
