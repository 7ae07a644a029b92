import type { Members, OwnLoad, OwnState } from '../src/membership/members.js';
import type { HostModel } from '../src/state/host-state.js';

export const MODEL: HostModel = {
  modelKey: 'qwen3-8b',
  displayName: 'Qwen3 8B',
  kind: 'llm',
  digest: 'sha256:00ff',
  tier: 'medium',
  capabilities: ['chat'],
  contextLengthTokens: 8192,
  maxContextLengthTokens: 32_768,
  sizeBytes: 5_000_000_000,
  fit: 'now',
  speed: {
    decodeTokensPerSecond: { expected: 40, low: 30, high: 50 },
    promptTokensPerSecond: { expected: 900, low: 700, high: 1100 },
    loadMs: { expected: 4000, low: 3000, high: 6000 },
    measured: true,
  },
  quality: 0.62,
  residents: [
    {
      instanceIdentifier: 'qwen3-8b',
      contextLengthTokens: 8192,
      footprintBytes: 6_000_000_000,
      foreign: false,
      parallel: 4,
    },
  ],
};

export function ownState(change: Partial<OwnState> = {}): OwnState {
  return {
    address: 'https://10.0.0.7:8899',
    versions: { mai: '0.1.0', runtime: 'lmstudio', runtimeVersion: '0.4.21' },
    labels: { site: 'attic' },
    pools: [{ pool: 'ram', totalBytes: 64e9, limitBytes: 48e9 }],
    models: [MODEL],
    chains: { default: ['qwen3-8b'] },
    guests: { memoryRatio: 0.5 },
    ...change,
  };
}

export function ownLoad(change: Partial<OwnLoad> = {}): OwnLoad {
  return {
    running: 0,
    queued: 0,
    residents: {},
    pressureRatio: 0.4,
    ready: true,
    ...change,
  };
}

/** Whether a reader may use a host and knows the state with this label. */
export const sees = (reader: { members: Members }, host: string, label: string) => () =>
  reader.members
    .hosts()
    .some(({ state, usable }) => state.host === host && usable && state.labels['label'] === label);
