import type { Fleet, FleetHost, Placement } from '../../src/api/api.generated.js';
import { CHAIN, GIB, type ScriptedModel } from './models.js';

/** A fleet as the page sees it. */
export type MemberFleet = Extract<Fleet, { readonly state: 'member' }>;

/** A host with nothing loaded. */
function hostOf(host: string, change: Partial<FleetHost>): FleetHost {
  return {
    host,
    own: false,
    kind: 'mai',
    condition: 'ready',
    silentMs: 700,
    address: `https://${host}.lan:8899`,
    versions: { mai: '0.1.0', runtime: 'lmstudio', runtimeVersion: '0.4.21' },
    labels: [],
    load: { running: 0, waiting: 0, pressureRatio: 0.3 },
    pools: [{ pool: 'ram', label: 'RAM', totalBytes: 31.2 * GIB, limitBytes: 26.5 * GIB }],
    residents: [],
    fits: [],
    modelCount: CHAIN.length,
    guestRatio: 0.5,
    ...change,
  };
}

const fitOf = (
  { modelKey, tier, weightsGib, speed, quality }: ScriptedModel,
  fit: 'now' | 'after-eviction',
  factor = 1,
): FleetHost['fits'][number] => ({
  modelKey,
  tier,
  sizeBytes: weightsGib * GIB,
  fit,
  quality,
  speed: speed && {
    ...speed,
    tokensPerSecond: speed.tokensPerSecond * factor,
    firstTokenMs: speed.firstTokenMs / factor,
  },
});

function residentOf(
  model: ScriptedModel | undefined,
  requests: number,
  factor = 1,
): FleetHost['residents'] {
  if (model === undefined) return [];
  const { modelKey, speed, quality } = fitOf(model, 'now', factor);
  return [
    {
      instanceIdentifier: `mai/${modelKey}`,
      modelKey,
      requests,
      parallel: 4,
      speed,
      quality,
      contextLengthTokens: model.contextLengthTokens,
      footprintBytes: model.weightsGib * 1.12 * GIB,
      foreign: false,
    },
  ];
}

const [HUGE, LARGE, MEDIUM, SMALL] = CHAIN;
const known = (models: readonly (ScriptedModel | undefined)[]): readonly ScriptedModel[] =>
  models.flatMap((one) => one ?? []);

/** A laptop, a desktop that is busy, a server that is silent, and a device of LM Link. */
export function storyHosts(): readonly FleetHost[] {
  return [
    hostOf('laptop', {
      own: true,
      silentMs: 0,
      load: { running: 1, waiting: 0, pressureRatio: 0.74 },
      residents: residentOf(LARGE, 1),
      fits: known([MEDIUM, SMALL]).map((one) => fitOf(one, 'after-eviction')),
      labels: [{ name: 'site', value: 'study' }],
    }),
    hostOf('desktop', {
      load: { running: 3, waiting: 1, pressureRatio: 0.91 },
      pools: [
        { pool: 'ram', label: 'RAM', totalBytes: 125.6 * GIB, limitBytes: 106.7 * GIB },
        { pool: 'gpu:0', label: 'VRAM', totalBytes: 24 * GIB, limitBytes: 22 * GIB },
      ],
      residents: residentOf(HUGE, 4, 2.4),
      fits: known([LARGE, MEDIUM, SMALL]).map((one) => fitOf(one, 'now', 2.4)),
      labels: [{ name: 'site', value: 'study' }],
    }),
    hostOf('cupboard', {
      condition: 'silent',
      silentMs: 42_000,
      versions: { mai: '0.1.0', runtime: 'embedded', runtimeVersion: 'b6527' },
      load: { running: 0, waiting: 0, pressureRatio: 0.12 },
      fits: known([SMALL]).map((one) => fitOf(one, 'now', 0.2)),
      guestRatio: null,
    }),
    hostOf('3f9c2a', {
      kind: 'lm-link',
      condition: 'without-mai',
      silentMs: null,
      address: null,
      versions: { mai: null, runtime: 'lmstudio', runtimeVersion: null },
      load: null,
      pools: [],
      guestRatio: null,
      modelCount: 1,
      residents: residentOf(MEDIUM, 0).map((one) => ({
        ...one,
        requests: null,
        footprintBytes: null,
        speed: null,
        quality: null,
      })),
    }),
  ];
}

/** Where two requests went. */
export function storyPlacements(nowMs: number): readonly Placement[] {
  const why = 'Why the request does not go to another host first:';
  return [
    {
      id: 'k3f9x2-b',
      atMs: nowMs - 4000,
      host: 'desktop',
      modelKey: 'openai/gpt-oss-120b',
      sentences: [
        {
          text: 'desktop gave the request a lease on openai/gpt-oss-120b after 0.1 s.',
          items: [],
        },
        {
          text: 'The request goes to desktop: openai/gpt-oss-120b is loaded and has 3 requests, of which it answers 4 at the same time. The first token is expected after 4.1 s (prompt 4.1 s; network 50 ms) and the answer 8.8 s later, at 34 tokens a second where the host does nothing else.',
          items: [],
        },
        {
          text: why,
          items: [
            'cupboard: nothing new was heard from it for 38 s.',
            'laptop: openai/gpt-oss-120b (59.0 GiB) does not fit, even if idle models were unloaded.',
          ],
        },
      ],
    },
    {
      id: 'k3f9x2-a',
      atMs: nowMs - 65_000,
      host: null,
      modelKey: null,
      sentences: [{ text: 'No host gave the request a lease.', items: [] }],
    },
  ];
}

/** The fleet of the story. */
export function storyFleet(nowMs: number): MemberFleet {
  const hosts = storyHosts();
  return {
    state: 'member',
    ownHost: 'laptop',
    natsServers: ['tls://desktop.lan:4222'],
    connected: true,
    fault: null,
    hostCount: hosts.length,
    hosts,
    placements: storyPlacements(nowMs),
  };
}
