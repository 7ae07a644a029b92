import type { KvCacheType, LoadConfig, Requirement } from '@mai/selector';
import type { CandidateProfile } from '../ports/catalog-port.js';

/** The ways to load the same model cheaper, in the order in which they are tried. */
export type LadderStepKind =
  'as-configured' | 'shorter-context' | 'smaller-kv-cache' | 'experts-on-cpu' | 'less-offload';

/** One way to load a model. */
export interface LadderRung {
  readonly kind: LadderStepKind;
  /** What this rung gives up against the configured one, in words. */
  readonly price: string;
  readonly loadConfig: LoadConfig;
}

/** Below this a chat hardly holds a page; also what LM Studio loads with when nobody says. */
const CONTEXT_FLOOR_TOKENS = 4096;
const CONTEXT_GRANULE_TOKENS = 256;
const CONTEXT_STEPS_MAX = 3;

/** Bits per element, block scales included: the block layouts of ggml's quantized types. */
const KV_BITS: Readonly<Record<KvCacheType, number>> = {
  f32: 32,
  f16: 16,
  bf16: 16,
  q8_0: 8.5,
  q5_1: 6,
  q5_0: 5.5,
  q4_1: 5,
  q4_0: 4.5,
  iq4_nl: 4.5,
};
const KV_STEPS = [
  ['q8_0', 'the KV cache at 8 bits'],
  ['q4_0', 'the KV cache at 4 bits: long contexts lose accuracy'],
] as const;
const CPU_EXPERT_STEPS = [0.5, 1] as const;
const OFFLOAD_STEPS = [0.75, 0.5, 0.25, 0] as const;

/**
 * The load configurations worth trying for a model, dearest first. Each rung keeps what the ones
 * before it gave up, so that footprints never grow on the way down.
 *
 * @param hasDedicatedGpu - without one, moving layers or experts to the CPU frees nothing.
 */
export function buildLadder(
  profile: CandidateProfile,
  requirement: Requirement,
  hasDedicatedGpu: boolean,
): LadderRung[] {
  const wantedTokens = wantedContextTokens(profile, requirement);
  const rungs: LadderRung[] = [
    {
      kind: 'as-configured',
      price: 'nothing',
      loadConfig: { ...profile.loadConfig, contextLengthTokens: wantedTokens },
    },
  ];
  const add = (kind: LadderStepKind, price: string, change: Partial<LoadConfig>): void => {
    const last = rungs[rungs.length - 1] as LadderRung;
    rungs.push({ kind, price, loadConfig: { ...last.loadConfig, ...change } });
  };
  for (const tokens of shorterContexts(wantedTokens, requirement.minContextLengthTokens)) {
    add('shorter-context', `${tokens} tokens of context instead of ${wantedTokens}`, {
      contextLengthTokens: tokens,
    });
  }
  const kvBits = Math.max(
    KV_BITS[profile.loadConfig.kvCacheTypeK ?? 'f16'],
    KV_BITS[profile.loadConfig.kvCacheTypeV ?? 'f16'],
  );
  for (const [type, price] of KV_STEPS) {
    // llama.cpp refuses a quantized V cache without flash attention.
    if (KV_BITS[type] < kvBits) {
      add('smaller-kv-cache', price, {
        kvCacheTypeK: type,
        kvCacheTypeV: type,
        flashAttention: true,
      });
    }
  }
  if (!hasDedicatedGpu) return rungs;
  for (const ratio of CPU_EXPERT_STEPS) {
    if (ratio > (profile.loadConfig.cpuExpertRatio ?? 0)) {
      add('experts-on-cpu', `${ratio * 100} % of the expert layers on the CPU: slower`, {
        cpuExpertRatio: ratio,
      });
    }
  }
  for (const ratio of OFFLOAD_STEPS) {
    if (ratio < (profile.loadConfig.offloadRatio ?? 1)) {
      add('less-offload', `${ratio * 100} % of the layers on the GPU: slower`, {
        offloadRatio: ratio,
      });
    }
  }
  return rungs;
}

/** What is configured, raised to what is required, within what the model allows. */
function wantedContextTokens(profile: CandidateProfile, requirement: Requirement): number {
  const configured = profile.loadConfig.contextLengthTokens ?? profile.contextLengthTokens;
  return Math.min(
    Math.max(configured, requirement.minContextLengthTokens ?? 0),
    profile.maxContextLengthTokens ?? Number.POSITIVE_INFINITY,
  );
}

/** The shortest context that is still of use to whoever asked for `wantedTokens`. */
export function leastContextTokens(wantedTokens: number, requiredTokens: number | null): number {
  return requiredTokens ?? Math.min(wantedTokens, CONTEXT_FLOOR_TOKENS);
}

/** Halves, down to the least that is of use, which is always among them. */
function shorterContexts(wantedTokens: number, requiredTokens: number | null): number[] {
  const lowest = leastContextTokens(wantedTokens, requiredTokens);
  const contexts: number[] = [];
  let tokens = wantedTokens;
  while (tokens > lowest) {
    const half = Math.floor(tokens / 2 / CONTEXT_GRANULE_TOKENS) * CONTEXT_GRANULE_TOKENS;
    const last = contexts.length === CONTEXT_STEPS_MAX - 1;
    tokens = last ? lowest : Math.max(half, lowest);
    contexts.push(tokens);
  }
  return contexts;
}
