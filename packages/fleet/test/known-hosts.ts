import type { LoadSpeed } from '@mai/memory-ledger';
import type { HostModel, HostResident, HostState } from '../src/state/host-state.js';
import type { Heartbeat } from '../src/state/heartbeat.js';
import type { KnownHost } from '../src/state/known-host.js';
import {
  DEFAULT_PLACEMENT_POLICY,
  type PlacementInput,
  type PlacementRequest,
} from '../src/placement/placement-input.js';

const exactly = (expected: number) => ({ expected, low: expected, high: expected });

/** A measured speed. Times are worked out by hand from these figures. */
export function speed(decode: number, prompt: number, loadMs: number | null = null): LoadSpeed {
  return {
    decodeTokensPerSecond: exactly(decode),
    promptTokensPerSecond: exactly(prompt),
    loadMs: loadMs === null ? null : exactly(loadMs),
    measured: true,
  };
}

export function residentOf(overrides: Partial<HostResident> = {}): HostResident {
  return {
    instanceIdentifier: 'mai:large',
    contextLengthTokens: 16_384,
    footprintBytes: 16e9,
    foreign: false,
    parallel: 4,
    ...overrides,
  };
}

/** A model that is not loaded and fits now: 300 tokens in 10 s, a prompt of 800 tokens in 2 s, a load in 20 s. */
export function modelOf(overrides: Partial<HostModel> = {}): HostModel {
  return {
    modelKey: 'large',
    displayName: 'Large',
    kind: 'llm',
    digest: null,
    tier: 'large',
    capabilities: ['chat'],
    contextLengthTokens: 16_384,
    maxContextLengthTokens: 32_768,
    sizeBytes: 16e9,
    fit: 'now',
    speed: speed(30, 400, 20_000),
    quality: null,
    residents: [],
    ...overrides,
  };
}

/** The same model, loaded. */
export function loadedModel(
  overrides: Partial<HostModel> = {},
  resident: Partial<HostResident> = {},
): HostModel {
  return modelOf({
    ...overrides,
    residents: [
      residentOf({ instanceIdentifier: `mai:${overrides.modelKey ?? 'large'}`, ...resident }),
    ],
  });
}

/** A usable host. `requests` are those of its residents, by instance identifier. */
export function hostOf(
  host: string,
  models: readonly HostModel[],
  options: {
    readonly requests?: Readonly<Record<string, number>>;
    readonly heartbeat?: Partial<Heartbeat> | null;
    readonly state?: Partial<HostState>;
    readonly known?: Partial<KnownHost>;
  } = {},
): KnownHost {
  const { requests = {}, heartbeat = {} } = options;
  const epoch = `epoch of ${host}`;
  return {
    state: {
      host,
      epoch,
      revision: 1,
      address: `https://${host}.example:8899`,
      versions: { mai: '0.1.0', runtime: 'lmstudio', runtimeVersion: '0.4.21' },
      labels: {},
      pools: [{ pool: 'ram', totalBytes: 40e9, limitBytes: 32e9 }],
      models,
      chains: {},
      guests: { memoryRatio: 1 },
      ...options.state,
    },
    heartbeat:
      heartbeat === null
        ? null
        : {
            host,
            epoch,
            sequence: 10,
            uptimeMs: 20_000,
            revision: 1,
            running: Object.values(requests).reduce((sum, one) => sum + one, 0),
            queued: 0,
            residents: requests,
            pressureRatio: 0.5,
            ready: true,
            ...heartbeat,
          },
    silentMs: 1_000,
    usable: true,
    kind: 'mai',
    ...options.known,
  };
}

/** Prices that the tests' figures are worked out with. */
const PRICES = {
  smallerPenaltyMs: 30_000,
  loadPenaltyMs: 2_000,
  evictionPenaltyMs: 8_000,
  hopMs: 50,
  tieMs: 250,
  warmRatio: 0.8,
  slowdownRatio: 0.5,
};

/** A prompt of 800 tokens for the chain `large`, `small`; 300 tokens are answered. */
export function inputOf(
  hosts: readonly KnownHost[],
  {
    request = {},
    policy = {},
    ...overrides
  }: {
    readonly ownHost?: string;
    readonly recentSends?: PlacementInput['recentSends'];
    readonly seenTimes?: PlacementInput['seenTimes'];
    readonly request?: Partial<PlacementRequest>;
    readonly policy?: Partial<PlacementInput['policy']>;
  } = {},
): PlacementInput {
  return {
    hosts,
    ownHost: 'own',
    recentSends: [],
    ...overrides,
    request: {
      capabilities: ['chat'],
      minContextLengthTokens: null,
      tiers: null,
      chain: 'default',
      modelKeys: ['large', 'small'],
      instanceIdentifier: null,
      failed: [],
      promptTokens: 800,
      prefixKey: null,
      ...request,
    },
    policy: { ...DEFAULT_PLACEMENT_POLICY, ...PRICES, ...policy },
  };
}
