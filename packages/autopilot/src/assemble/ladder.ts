import type { KvCacheType, LoadConfig } from '@mai/memory-ledger';
import type { Requirement } from '@mai/selector';
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

/** A step of the ladder: everything that it changes, with what the steps before it do. */
interface Step {
  readonly kind: LadderStepKind;
  /** Null: nothing is given up. */
  readonly price: string | null;
  readonly change: Partial<LoadConfig>;
}

/**
 * The load configurations worth trying for a model, the best first: with less context, then with a smaller
 * KV cache; then with experts on the CPU, for each share of them from the whole context down again; then
 * with fewer layers on the GPU, as configured and with the least of the rest.
 *
 * @param hasDedicatedGpu - without one, moving layers or experts to the CPU frees nothing.
 */
export function buildLadder(
  profile: CandidateProfile,
  requirement: Requirement,
  hasDedicatedGpu: boolean,
): LadderRung[] {
  const settings = settingSteps(profile, requirement);
  const experts = hasDedicatedGpu ? expertSteps(profile) : [];
  const offload = hasDedicatedGpu ? offloadSteps(profile, experts.at(-1)?.change ?? {}) : [];
  const extremes = settings.length === 1 ? settings : ([settings[0], settings.at(-1)] as Step[]);
  return [
    ...settings.map((setting) => rungOf(profile, setting, null)),
    ...experts.flatMap((step) => settings.map((setting) => rungOf(profile, setting, step))),
    ...offload.flatMap((step) => extremes.map((setting) => rungOf(profile, setting, step))),
  ];
}

function rungOf(
  { loadConfig }: CandidateProfile,
  setting: Step,
  placement: Step | null,
): LadderRung {
  const prices = [placement?.price ?? null, setting.price].filter((price) => price !== null);
  return {
    kind: placement?.kind ?? setting.kind,
    price: prices.length === 0 ? 'nothing' : prices.join('; '),
    loadConfig: { ...loadConfig, ...setting.change, ...placement?.change },
  };
}

/** What costs context or accuracy. */
function settingSteps(profile: CandidateProfile, requirement: Requirement): Step[] {
  const wantedTokens = wantedContextTokens(profile, requirement);
  const steps: Step[] = [
    { kind: 'as-configured', price: null, change: { contextLengthTokens: wantedTokens } },
  ];
  for (const tokens of shorterContexts(wantedTokens, requirement.minContextLengthTokens)) {
    steps.push({
      kind: 'shorter-context',
      price: `${tokens} tokens of context instead of ${wantedTokens}`,
      change: { contextLengthTokens: tokens },
    });
  }
  const shortest = steps[steps.length - 1] as Step;
  const { kvCacheTypeK, kvCacheTypeV } = profile.loadConfig;
  const kvBits = Math.max(KV_BITS[kvCacheTypeK ?? 'f16'], KV_BITS[kvCacheTypeV ?? 'f16']);
  for (const [type, price] of KV_STEPS) {
    if (KV_BITS[type] >= kvBits) continue;
    steps.push({
      kind: 'smaller-kv-cache',
      price: shortest.price === null ? price : `${price}; ${shortest.price}`,
      // llama.cpp refuses a quantized V cache without flash attention.
      change: { ...shortest.change, kvCacheTypeK: type, kvCacheTypeV: type, flashAttention: true },
    });
  }
  return steps;
}

/** What costs speed. With a dense model nothing changes, and such rungs are dropped once they are estimated. */
function expertSteps({ loadConfig }: CandidateProfile): Step[] {
  return CPU_EXPERT_STEPS.filter((ratio) => ratio > (loadConfig.cpuExpertRatio ?? 0)).map(
    (ratio) => ({
      kind: 'experts-on-cpu',
      price: `${ratio * 100} % of the expert layers on the CPU: slower`,
      change: { cpuExpertRatio: ratio },
    }),
  );
}

/** What costs most speed. */
function offloadSteps({ loadConfig }: CandidateProfile, experts: Partial<LoadConfig>): Step[] {
  return OFFLOAD_STEPS.filter((ratio) => ratio < (loadConfig.offloadRatio ?? 1)).map((ratio) => ({
    kind: 'less-offload',
    price: `${ratio * 100} % of the layers on the GPU: slower`,
    change: { ...experts, offloadRatio: ratio },
  }));
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
