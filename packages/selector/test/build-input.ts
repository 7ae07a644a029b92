import {
  DEFAULT_LOAD_CONFIG,
  DEFAULT_SELECTION_POLICY,
  type Footprint,
  type LoadConfig,
  type Resources,
} from '@mai/memory-ledger';
import type { Candidate, LoadOption, Resident, SelectionInput } from '../src/index.js';

export const GIB = 1024 ** 3;

export const LOAD_CONFIG: LoadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 };

/** A footprint without an error interval; sizes in GiB. */
export function footprint(
  {
    mapped = 0,
    anonymous = 0,
    gpus = {},
  }: { mapped?: number; anonymous?: number; gpus?: Record<string, number> },
  interval: Footprint['interval'] = null,
  growth: Footprint['growth'] = null,
): Footprint {
  return {
    ram: { mappedBytes: mapped * GIB, anonymousBytes: anonymous * GIB },
    gpus: Object.entries(gpus).map(([deviceKey, gib]) => ({ deviceKey, bytes: gib * GIB })),
    interval,
    growth,
    source: 'gguf-header',
    confidence: 'high',
  };
}

export function option(print: Footprint | null, contextLengthTokens = 8192): LoadOption {
  return {
    loadConfig: { ...LOAD_CONFIG, contextLengthTokens },
    footprint: print,
    guardrails: null,
    speed: null,
    quality: null,
  };
}

/** A candidate with one load option that takes `anonymous` GiB of RAM, unless options are given. */
export function candidate(
  modelKey: string,
  anonymousOrOptions: number | readonly LoadOption[],
  facts: Partial<Candidate> = {},
): Candidate {
  return {
    modelKey,
    displayName: modelKey,
    tier: 'medium',
    capabilities: ['chat'],
    downloaded: true,
    refusal: null,
    maxContextLengthTokens: 131_072,
    loadOptions:
      typeof anonymousOrOptions === 'number'
        ? [option(footprint({ anonymous: anonymousOrOptions }))]
        : anonymousOrOptions,
    coolingDownUntilMs: null,
    observedGrowth: [],
    expandedFrom: null,
    ...facts,
  };
}

export function resident(
  modelKey: string,
  print: Footprint | null,
  facts: Partial<Resident> = {},
): Resident {
  return {
    instanceIdentifier: `mai/${modelKey}`,
    modelKey,
    loadConfig: LOAD_CONFIG,
    footprint: print,
    busy: false,
    idleInMs: null,
    speed: null,
    pinned: false,
    foreign: false,
    lastUsedAtMs: null,
    observation: null,
    ...facts,
  };
}

/** A Linux machine without a GPU; sizes in GiB. */
export function resources(
  { total = 32, available = 32 }: { total?: number; available?: number | null } = {},
  facts: Partial<Resources> = {},
): Resources {
  return {
    timestampMs: 1_000_000,
    observable: true,
    ram: {
      totalBytes: total * GIB,
      availableBytes: available === null ? null : available * GIB,
      mappedCountsAsUsed: false,
    },
    unified: false,
    gpus: [],
    cpu: { utilizationRatio: 0.1, othersRatio: null },
    ...facts,
  };
}

export function input(parts: Partial<SelectionInput>): SelectionInput {
  return {
    candidates: [],
    requirement: { capabilities: [], minContextLengthTokens: null, tiers: null },
    resources: resources(),
    residents: [],
    policy: DEFAULT_SELECTION_POLICY,
    ...parts,
  };
}
