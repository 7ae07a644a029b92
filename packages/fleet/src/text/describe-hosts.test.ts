import { hostOf, loadedModel } from '../../test/known-hosts.js';
import { describeConnection, describeHosts } from './describe-hosts.js';

test('a host that belongs to the fleet and was never heard is listed last', () => {
  const hosts = [hostOf('desktop', [loadedModel()])];
  const rows = describeHosts({
    hosts,
    ownHost: 'laptop',
    paired: ['attic', 'laptop', 'desktop'],
    displaced: false,
    connected: true,
  });
  expect(rows.map(({ host, state }) => [host, state])).toEqual([
    ['desktop', 'ready'],
    ['attic', 'no heartbeat yet: does `mai serve --fleet` run there?'],
    ['laptop', 'this machine, no heartbeat yet: does `mai serve --fleet` run here?'],
  ]);
});

test('a displaced machine says what it is, and gets no requests', () => {
  const hosts = [hostOf('laptop', [loadedModel()])];
  const [row] = describeHosts({
    hosts,
    ownHost: 'laptop',
    paired: ['laptop'],
    displaced: true,
    connected: true,
  });
  expect([row?.usable, row?.state]).toEqual([
    false,
    'this machine, displaced by another machine with a copy of its keys, serves no other host',
  ]);
});

test('without NATS, nothing is said about the heartbeats of hosts', () => {
  const view = { hosts: [], ownHost: 'laptop', paired: ['laptop', 'desktop'], displaced: false };
  expect(describeHosts({ ...view, connected: false }).map(({ state }) => state)).toEqual([
    'not known without a connection to NATS',
    'this machine, not known without a connection to NATS',
  ]);
});

test.each([
  { connected: true, fault: null, says: 'connected' },
  { connected: false, fault: null, says: 'no answer' },
  { connected: false, fault: 'connection refused', says: 'connection refused' },
  { connected: false, fault: 'Authorization Violation', says: /removed from the fleet.*leave/ },
  { connected: false, fault: 'certificate is not yet valid', says: /clock of this machine/ },
  { connected: false, fault: 'certificate has expired', says: /^certificate has expired, by/ },
  { connected: true, fault: 'Another machine serves as attic.', says: /^Another machine/ },
])('the connection is described: $connected, $fault', ({ says, ...link }) => {
  const text = describeConnection({ ...link, server: 'x:1', natsServers: ['tls://x:1'] });
  expect(text).toMatch(says);
});
