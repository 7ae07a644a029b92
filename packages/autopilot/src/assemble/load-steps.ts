import type { KvCacheType, LoadConfig } from '@mai/memory-ledger';
import type { Requirement } from '@mai/selector';
import type { CandidateProfile } from '../ports/catalog-port.js';
import type { TradeOff } from './trade-off.js';

/** One way to load a model. */
export interface LoadStep {
  readonly loadConfig: LoadConfig;
  /** The trade-offs compared with the configured way to load; empty for the configured way itself. */
  readonly tradeOffs: readonly TradeOff[];
}

/** The shortest useful context where no context is required. It is also LM Studio's default. */
const CONTEXT_FLOOR_TOKENS = 4096;
const CONTEXT_GRANULE_TOKENS = 256;
const CONTEXT_STEPS_MAX = 3;

/** Bits per number, block scales included, from the block layouts of ggml's quantized types. */
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
const KV_STEPS = ['q8_0', 'q4_0'] as const;
const CPU_EXPERT_STEPS = [0.5, 1] as const;
const OFFLOAD_STEPS = [0.75, 0.5, 0.25, 0] as const;

/** A change to the configured way to load a model. */
interface Change {
  readonly tradeOffs: readonly TradeOff[];
  readonly change: Partial<LoadConfig>;
}

/**
 * The load configurations to try for a model, the best first:
 *
 * 1. as configured, then with shorter contexts, then also with smaller KV cache types;
 * 2. with half and then with all of the experts on the CPU, each with the same settings as in 1;
 * 3. with fewer layers on the GPU, each with the first and the last of those settings.
 *
 * @param hasExperts - false for a dense model: 2 is skipped, and 3 moves only layers. Null, not known, counts as true.
 * @param hasDedicatedGpu - without such a GPU, moving layers or experts to the CPU frees no memory.
 */
export function buildLoadSteps(
  profile: CandidateProfile,
  requirement: Requirement,
  hasDedicatedGpu: boolean,
  hasExperts: boolean | null = null,
): LoadStep[] {
  const { configured, cheaper } = settingChanges(profile, requirement);
  const settings = [configured, ...cheaper];
  const extremes = [configured, ...cheaper.slice(-1)];
  const experts = hasDedicatedGpu && hasExperts !== false ? expertChanges(profile) : [];
  const offload = hasDedicatedGpu ? offloadChanges(profile, experts.at(-1)) : [];
  const combine = (placement: Change, setting: Change): LoadStep => ({
    loadConfig: { ...profile.loadConfig, ...setting.change, ...placement.change },
    tradeOffs: [...placement.tradeOffs, ...setting.tradeOffs],
  });
  return [
    ...settings.map((setting) => combine(AS_PLACED, setting)),
    ...experts.flatMap((placement) => settings.map((setting) => combine(placement, setting))),
    ...offload.flatMap((placement) => extremes.map((setting) => combine(placement, setting))),
  ];
}

/** The way to load a model as configured: the first of `buildLoadSteps`. */
export function configuredStep(profile: CandidateProfile, requirement: Requirement): LoadStep {
  const contextLengthTokens = wantedContextTokens(profile, requirement);
  return { loadConfig: { ...profile.loadConfig, contextLengthTokens }, tradeOffs: [] };
}

/**
 * The context that callers prefer to the one that they need; null where a load gets no other context than the usual one or the
 * needed one. The configured context stays as it is, so only a context that a request has made longer becomes longer still. Of a
 * model whose longest context is not known, no more is loaded than is needed.
 */
export function preferredContextTokens(
  { loadConfig, contextLengthTokens, maxContextLengthTokens }: CandidateProfile,
  { minContextLengthTokens: needed, preferredContextLengthTokens: preferred = null }: Requirement,
): number | null {
  if (needed === null || preferred === null || maxContextLengthTokens === null) return null;
  if (needed <= (loadConfig.contextLengthTokens ?? contextLengthTokens)) return null;
  const tokens = Math.min(preferred, maxContextLengthTokens);
  return tokens > needed ? tokens : null;
}

const AS_PLACED: Change = { tradeOffs: [], change: {} };

/** Changes that give up context or precision. */
function settingChanges(
  profile: CandidateProfile,
  requirement: Requirement,
): { readonly configured: Change; readonly cheaper: readonly Change[] } {
  const fromTokens = wantedContextTokens(profile, requirement);
  const configured: Change = { tradeOffs: [], change: { contextLengthTokens: fromTokens } };
  const contexts = shorterContexts(fromTokens, requirement.minContextLengthTokens).map(
    (toTokens): Change => ({
      tradeOffs: [{ kind: 'shorter-context', fromTokens, toTokens }],
      change: { contextLengthTokens: toTokens },
    }),
  );
  const shortest = contexts.at(-1) ?? configured;
  const { kvCacheTypeK: fromK, kvCacheTypeV: fromV } = profile.loadConfig;
  const fromBits = Math.max(KV_BITS[fromK ?? 'f16'], KV_BITS[fromV ?? 'f16']);
  const caches = KV_STEPS.filter((type) => KV_BITS[type] < fromBits).map((type): Change => ({
    tradeOffs: [
      { kind: 'kv-cache-type', fromK, fromV, toK: type, toV: type },
      ...shortest.tradeOffs,
    ],
    // llama.cpp refuses a quantized V cache without flash attention.
    change: { ...shortest.change, kvCacheTypeK: type, kvCacheTypeV: type, flashAttention: true },
  }));
  return { configured, cheaper: [...contexts, ...caches] };
}

/** The expert steps of a dense model free nothing, and are dropped after the estimate. */
function expertChanges({ loadConfig }: CandidateProfile): Change[] {
  return CPU_EXPERT_STEPS.filter((ratio) => ratio > (loadConfig.cpuExpertRatio ?? 0)).map(
    (ratio) => ({
      tradeOffs: [{ kind: 'experts-on-cpu', ratio }],
      change: { cpuExpertRatio: ratio },
    }),
  );
}

/** @param experts - the last expert step. Every returned step contains the change of this step. */
function offloadChanges({ loadConfig }: CandidateProfile, experts: Change = AS_PLACED): Change[] {
  return OFFLOAD_STEPS.filter((ratio) => ratio < (loadConfig.offloadRatio ?? 1)).map((ratio) => ({
    tradeOffs: [{ kind: 'less-offload', ratio }, ...experts.tradeOffs],
    change: { ...experts.change, offloadRatio: ratio },
  }));
}

/**
 * The configured context length, raised to the required length, but at most the longest that the model
 * allows.
 */
function wantedContextTokens(profile: CandidateProfile, requirement: Requirement): number {
  const configured = profile.loadConfig.contextLengthTokens ?? profile.contextLengthTokens;
  return Math.min(
    Math.max(configured, requirement.minContextLengthTokens ?? 0),
    profile.maxContextLengthTokens ?? Number.POSITIVE_INFINITY,
  );
}

/** The shortest context that still serves a request for `wantedTokens`. A required context of 0 tokens requires none. */
export function leastContextTokens(wantedTokens: number, requiredTokens: number | null): number {
  return requiredTokens === null || requiredTokens === 0
    ? Math.min(wantedTokens, CONTEXT_FLOOR_TOKENS)
    : requiredTokens;
}

/**
 * The contexts below the wanted context. Each is half of the context before it. The last is the shortest useful
 * context.
 */
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
