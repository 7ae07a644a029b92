import { hostOf, inputOf, loadedModel } from '../../test/known-hosts.js';
import type { FleetView } from '../fleet-view.js';
import type { PlacedRequest, PlacementAttempt } from '../journal/placed-request.js';
import { placeRequest } from '../placement/place-request.js';
import type { KnownHost } from '../state/known-host.js';
import { describeConnection } from './describe-hosts.js';
import { reportFleet } from './report-fleet.js';

const viewOf = (hosts: readonly KnownHost[]): FleetView => ({
  paired: ['laptop'],
  ownHost: 'laptop',
  natsServers: ['tls://10.0.0.1:4222'],
  connected: true,
  fault: null,
  server: '10.0.0.1:4222',
  hosts,
  granted: [],
  displaced: false,
});

test('each host has its condition; this machine comes first, and a device of LM Link last', () => {
  const known = hostOf('x', []);
  const named = (host: string, change: Partial<KnownHost>): KnownHost => ({
    ...known,
    ...change,
    state: { ...known.state, host, ...change.state },
  });
  const { hosts } = reportFleet(
    viewOf([
      named('abc-device', { kind: 'lm-link' }),
      named('silent', { usable: false, silentMs: 12_000 }),
      named('unheard', { usable: false, silentMs: null }),
      named('laptop', {}),
      named('ending', {
        usable: false,
        heartbeat: known.heartbeat && { ...known.heartbeat, ready: false },
      }),
      named('alone', { state: { ...known.state, host: 'alone', address: null } }),
    ]),
    [],
  );
  expect(hosts.map(({ state, condition }) => [state.host, condition])).toEqual([
    ['laptop', 'ready'],
    ['alone', 'serves-nobody'],
    ['ending', 'stopping'],
    ['silent', 'silent'],
    ['unheard', 'not-heard'],
    ['abc-device', 'without-mai'],
  ]);
});

test('a machine whose name another one serves under is displaced, and the others are as they are', () => {
  const hosts = [hostOf('laptop', []), hostOf('desktop', [])];
  const report = reportFleet({ ...viewOf(hosts), displaced: true }, []);
  expect(report.hosts.map(({ state, condition }) => [state.host, condition])).toEqual([
    ['laptop', 'displaced'],
    ['desktop', 'ready'],
  ]);
});

test('a placement names the host that gave the lease, and its reasons are sentences with lists', () => {
  const input = inputOf([hostOf('own', []), hostOf('desktop', [loadedModel()])]);
  const attempt = (change: Partial<PlacementAttempt>): PlacementAttempt => ({
    host: 'desktop',
    modelKey: 'qwen',
    outcome: 'granted',
    reason: null,
    message: null,
    figures: {},
    tookMs: 420,
    ...change,
  });
  const placedWith = (attempts: readonly PlacementAttempt[]): PlacedRequest => ({
    id: 'k3-1',
    atMs: 5,
    input,
    placement: placeRequest(input),
    attempts,
  });
  const refused = attempt({ outcome: 'refused', reason: 'STOPPING' });
  const { placements } = reportFleet(viewOf([]), [
    placedWith([attempt({})]),
    placedWith([refused]),
  ]);
  expect(placements[0]).toMatchObject({ id: 'k3-1', atMs: 5, host: 'desktop', modelKey: 'qwen' });
  expect(placements[1]).toMatchObject({ host: null, modelKey: null });
  const sentences = placements[0]?.sentences ?? [];
  expect(sentences[0]).toEqual({
    text: 'desktop gave the request a lease on qwen after 0.4 s.',
    items: [],
    ordered: false,
  });
  const inTurn = sentences.find(({ text }) => text.startsWith('If that host refuses'));
  expect(inTurn?.items[0]).toMatch(/^own: no model is known to serve the request there/);
  expect(sentences.every(({ text }) => !text.startsWith(' '))).toBe(true);
});

test('the connection is told, with its server where there are several', () => {
  const view = viewOf([]);
  const servers = ['tls://10.0.0.1:4222', 'tls://10.0.0.2:4222'];
  expect(
    [
      view,
      { ...view, natsServers: servers },
      { ...view, connected: false, server: null, fault: 'connection refused' },
      { ...view, connected: false, server: null },
    ].map(describeConnection),
  ).toEqual(['connected', 'connected to 10.0.0.1:4222', 'connection refused', 'no answer']);
});
