import { ask } from '../../test/ask.js';
import { fakeFleet, fleetHost, fleetReport } from '../../test/fakes/fake-fleet.js';
import { GIB } from '../../test/fakes/fake-machine.js';
import { serveControl, type ControlWorld } from '../../test/worlds/serve-control.js';
import type { FleetReport } from '../ports/fleet-port.js';

let world: ControlWorld;
let report: FleetReport;
beforeEach(async () => {
  report = fleetReport();
  world = await serveControl({ parts: { fleet: { ...fakeFleet(), report: () => report } } });
});
afterEach(() => world[Symbol.asyncDispose]());

const fleetOf = async () => (await ask(world.url, { path: '/api/mai/fleet' })).json();

test('reports for each host its load, its memory, what is loaded and what fits', async () => {
  const answer = await fleetOf();
  expect(answer).toMatchObject({
    state: 'member',
    ownHost: 'laptop',
    connected: true,
    hostCount: 3,
    placements: [
      { id: 'k3-1', host: 'desktop', sentences: [{ items: [] }, { items: ['laptop: busy.'] }] },
    ],
  });
  expect(answer.hosts.map((one: { own: boolean }) => one.own)).toEqual([true, false, false]);
  const speed = { tokensPerSecond: 42, firstTokenMs: 2500, loadMs: 3200, measured: true };
  expect(answer.hosts[1]).toMatchObject({
    host: 'desktop',
    condition: 'ready',
    silentMs: 400,
    modelCount: 4,
    guestRatio: 0.5,
    load: { running: 2, waiting: 1, pressureRatio: 0.62 },
    labels: [{ name: 'site', value: 'attic' }],
    pools: [{ label: 'RAM', limitBytes: 27 * GIB }, { label: 'VRAM 1' }, { label: 'VRAM 2' }],
    residents: [{ modelKey: 'test/a', requests: 3, parallel: 4, footprintBytes: 6 * GIB, speed }],
    fits: [
      { modelKey: 'test/b', fit: 'now', speed, quality: 0.61 },
      { modelKey: 'test/c', fit: 'after-eviction', speed: null, quality: null },
    ],
  });
  expect(answer.hosts[2]).toMatchObject({
    kind: 'lm-link',
    condition: 'without-mai',
    load: null,
    guestRatio: null,
    versions: { mai: null, runtime: 'lmstudio', runtimeVersion: null },
  });
});

test('a large fleet is cut to what a page can show, and counted', async () => {
  report = fleetReport({
    hosts: Array.from({ length: 250 }, (_, index) => fleetHost(`host-${index}`)),
  });
  const answer = await fleetOf();
  expect([answer.hosts.length, answer.hostCount]).toEqual([200, 250]);
});

test('without a fleet, the answer says so', async () => {
  await using alone = await serveControl();
  const answer = await ask(alone.url, { path: '/api/mai/fleet' });
  expect(answer.json()).toEqual({ state: 'none' });
});
