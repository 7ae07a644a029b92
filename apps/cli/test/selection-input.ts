import type { AssembledCandidate, AssembledInput } from '@mai/autopilot';
import {
  DEFAULT_LOAD_CONFIG,
  DEFAULT_SELECTION_POLICY,
  type Footprint,
  type LoadConfig,
  type Tier,
} from '@mai/memory-ledger';
import type { Resident } from '@mai/selector';

export const GIB = 1024 ** 3;

/** The load configuration of every candidate and resident below. */
export const LOAD_CONFIG: LoadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 };

/** A candidate with one load option that takes `gib` of RAM. */
export function candidateOf(modelKey: string, tier: Tier, gib: number): AssembledCandidate {
  const option = { loadConfig: LOAD_CONFIG, footprint: footprintOf(gib), tradeOffs: [] };
  return {
    modelKey,
    displayName: modelKey,
    tier,
    capabilities: ['chat'],
    downloaded: true,
    refusal: null,
    expandedFrom: null,
    maxContextLengthTokens: 32_768,
    coolingDownUntilMs: null,
    ttlMs: null,
    observedGrowth: [],
    loadOptions: [{ ...option, guardrails: 'pass', speed: null, quality: null }],
  };
}

/** An idle resident of Mai that takes `gib` of RAM. */
export function residentOf(
  modelKey: string,
  gib: number,
  changes: Partial<Resident> = {},
): Resident {
  return {
    instanceIdentifier: `mai/${modelKey}`,
    modelKey,
    loadConfig: LOAD_CONFIG,
    footprint: footprintOf(gib),
    busy: false,
    idleInMs: null,
    speed: null,
    pinned: false,
    foreign: false,
    lastUsedAtMs: null,
    observation: null,
    ...changes,
  };
}

/** The input of a decision on a machine with 32 GiB and no GPU, where other programs use `othersGib`. */
export function inputOf(
  atMs: number,
  othersGib: number,
  candidates: readonly AssembledCandidate[],
  residents: readonly Resident[],
): AssembledInput {
  const modelsBytes = residents.reduce(
    (sum, { footprint }) => sum + (footprint?.ram.anonymousBytes ?? 0),
    0,
  );
  return {
    candidates,
    requirement: { capabilities: ['chat'], minContextLengthTokens: null, tiers: null },
    resources: {
      timestampMs: atMs,
      observable: true,
      unified: false,
      gpus: [],
      ram: {
        totalBytes: 32 * GIB,
        availableBytes: Math.max(0, (32 - othersGib) * GIB - modelsBytes),
        mappedCountsAsUsed: false,
      },
      cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
    },
    residents,
    policy: DEFAULT_SELECTION_POLICY,
  };
}

function footprintOf(gib: number): Footprint {
  return {
    ram: { mappedBytes: 0, anonymousBytes: gib * GIB },
    gpus: [],
    interval: null,
    growth: null,
    source: 'measured',
    confidence: 'high',
  };
}
