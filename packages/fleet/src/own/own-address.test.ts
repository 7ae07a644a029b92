import { networkInterfaces } from 'node:os';
import { standingClock } from '../../test/moved-clock.js';
import { waitUntil } from '../../test/wait-until.js';
import { addressOf, followOwnAddress, ownAddress } from './own-address.js';

const at = (address: string, internal = false) => ({
  address,
  internal,
  netmask: '',
  mac: '',
  cidr: null,
  ...(address.includes(':')
    ? { family: 'IPv6' as const, scopeid: 0 }
    : { family: 'IPv4' as const }),
});

test.each([
  ['the one of IPv4', [at('fd00::7'), at('10.0.0.7')], '10.0.0.7'],
  ['one of IPv6 in a network without IPv4', [at('fe80::1'), at('fd00::7')], 'fd00::7'],
  ['none where only a link has one', [at('fe80::1'), at('FEBF::1')], null],
  ['none without a network', [at('127.0.0.1', true), at('::1', true)], null],
])("a machine's own address is %s", (_what, list, address) => {
  expect(addressOf({ lo: [at('127.0.0.1', true)], eth0: list })).toBe(address);
});

test('an address that only this machine can use is not told, also where a name leads to it or a target cannot be reached', async () => {
  const outward = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address);
  const address = await ownAddress(['localhost', '127.0.0.1', '::1', '255.255.255.255']);
  if (outward.length === 0) expect(address).toBe(null);
  else expect(outward).toContain(address);
});

test('each change of the address is told once, and a time without a network or where the system refuses to tell is not', async () => {
  const clock = standingClock();
  const ending = new AbortController();
  const addresses = ['10.0.0.7', '10.0.0.7', null, new Error('EMFILE'), '10.0.0.7', '192.168.1.20'];
  const asked: (readonly string[])[] = [];
  const told: string[] = [];
  const following = followOwnAddress({
    targets: () => ['10.0.0.1'],
    clock,
    signal: ending.signal,
    onAddress: (address) => told.push(address),
    read: async (targets = []) => {
      asked.push(targets);
      const address = addresses[asked.length - 1] ?? null;
      if (address instanceof Error) throw address;
      return address;
    },
  });
  for (let reads = 1; reads < addresses.length; reads += 1) {
    await waitUntil(() => asked.length === reads, 'the address is read');
    await new Promise(setImmediate);
    clock.move(5000);
  }
  await waitUntil(() => told.length === 2, 'the new address is told');
  expect(told).toEqual(['10.0.0.7', '192.168.1.20']);
  expect(new Set(asked.flat())).toEqual(new Set(['10.0.0.1']));
  ending.abort();
  await following;
});
