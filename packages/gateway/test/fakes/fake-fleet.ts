import type { FleetHost, FleetPort, FleetReport } from '../../src/ports/fleet-port.js';
import { GIB, SPEED } from './fake-machine.js';

/** A host with a loaded model, one that fits, one that fits after an eviction, and one that does not. */
export function fleetHost(
  host: string,
  change: Partial<Omit<FleetHost, 'state'>> & { readonly state?: Partial<FleetHost['state']> } = {},
): FleetHost {
  const model = (modelKey: string, fit: 'now' | 'after-eviction' | 'no') => ({
    modelKey,
    tier: 'medium' as const,
    sizeBytes: 5 * GIB,
    fit,
    speed: SPEED,
    quality: 0.61,
    residents: [],
  });
  return {
    condition: 'ready',
    kind: 'mai',
    usable: true,
    silentMs: 400,
    heartbeat: { running: 2, queued: 1, residents: { 'mai/a': 3 }, pressureRatio: 0.62 },
    ...change,
    state: {
      host,
      epoch: '00ff',
      revision: 3,
      address: 'https://10.0.0.7:8899',
      versions: { mai: '1.0.0', runtime: 'lmstudio', runtimeVersion: '0.4.21' },
      labels: { site: 'attic' },
      pools: [
        { pool: 'ram', totalBytes: 32 * GIB, limitBytes: 27 * GIB },
        { pool: 'gpu:a', totalBytes: 12 * GIB, limitBytes: 11 * GIB },
        { pool: 'gpu:b', totalBytes: 12 * GIB, limitBytes: 11 * GIB },
      ],
      models: [
        {
          ...model('test/a', 'now'),
          residents: [
            {
              instanceIdentifier: 'mai/a',
              contextLengthTokens: 8192,
              parallel: 4,
              footprintBytes: 6 * GIB,
              foreign: false,
            },
          ],
        },
        model('test/b', 'now'),
        { ...model('test/c', 'after-eviction'), speed: null, quality: null },
        model('test/d', 'no'),
      ],
      guests: { memoryRatio: 0.5 },
      ...change.state,
    },
  };
}

/** The fleet of the machine `laptop`. */
export function fleetReport(change: Partial<FleetReport> = {}): FleetReport {
  return {
    ownHost: 'laptop',
    natsServers: ['tls://10.0.0.1:4222'],
    connected: true,
    fault: null,
    hosts: [
      fleetHost('laptop', { silentMs: 0 }),
      fleetHost('desktop'),
      fleetHost('phone', {
        condition: 'without-mai',
        kind: 'lm-link',
        silentMs: null,
        heartbeat: null,
        state: {
          address: null,
          labels: {},
          pools: [],
          models: [],
          guests: null,
          versions: { mai: '', runtime: 'lmstudio', runtimeVersion: null },
        },
      }),
    ],
    placements: [
      {
        id: 'k3-1',
        atMs: 1_900_000_000_000,
        host: 'desktop',
        modelKey: 'test/a',
        sentences: [
          { text: 'desktop gave the request a lease on test/a after 0.4 s.', items: [] },
          { text: 'Why the request does not go to another host first:', items: ['laptop: busy.'] },
        ],
      },
    ],
    ...change,
  };
}

/** A fleet with a fixed report. */
export function fakeFleet(report = fleetReport(), isReady = true): FleetPort {
  return { report: () => report, ready: () => Promise.resolve(isReady) };
}
