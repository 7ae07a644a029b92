import type { ExpertRules, Gating } from '../layers/feed-forward.js';
import type { NormKind } from '../layers/graph-context.js';

/** The rules of an architecture's decoder. Source: src/models/*.cpp of llama.cpp v0.5.0. */
export interface DecoderRules {
  readonly norm: NormKind;
  /** Embeddings are scaled by a constant. */
  readonly scalesEmbedding: boolean;
  /**
   * Norms on queries and keys, either of each head or before the heads are split. Applied only if the model has
   * tensors for the norms.
   */
  readonly queryKeyNorm: 'heads' | 'flat' | 'none';
  /** Which layers rotate queries and keys by position. */
  readonly rope: 'all' | 'windowed' | 'not-each-fourth' | 'if-finetuned' | 'none';
  /** Queries are scaled before attention. */
  readonly scalesQuery: boolean;
  /** Attention scores are soft-capped. */
  readonly softCapsScores: boolean;
  /** A norm before attention. */
  readonly normsInput: boolean;
  /** A norm after attention, before the residual is added. */
  readonly normsAttention: boolean;
  /** Name of the norm before the feed-forward network; `null` without this norm. */
  readonly feedForwardNorm: string | null;
  /** A norm after the feed-forward network, before the residual is added. */
  readonly normsFeedForward: boolean;
  /** Attention and feed-forward network have the same input. */
  readonly parallel: boolean;
  readonly gating: Gating;
  readonly experts: ExpertRules;
  readonly sharedExpert: 'none' | 'plain' | 'divided' | 'sigmoid';
  /** The last sum of a layer is `residual + x` rather than `x + residual`. */
  readonly residualFirst: boolean;
  /** Where the rows of tokens without logits are dropped. */
  readonly dropsRows: 'before-residual' | 'after-residual' | 'at-the-end' | 'after-norm';
  /** The hidden state before or after the last norm is an output of the graph. */
  readonly hiddenOutput: 'none' | 'before-norm' | 'after-norm';
  /** Operations on the logits. */
  readonly logits: 'plain' | 'scaled' | 'scaled-if-set' | 'soft-capped' | 'soft-capped-if-set';
  /** Number of positions of each token. */
  readonly positions: number;
}

const LLAMA: DecoderRules = {
  norm: 'rms',
  scalesEmbedding: false,
  queryKeyNorm: 'none',
  rope: 'all',
  scalesQuery: false,
  softCapsScores: false,
  normsInput: true,
  normsAttention: false,
  feedForwardNorm: 'ffn_norm',
  normsFeedForward: false,
  parallel: false,
  gating: 'split',
  experts: { scoring: 'softmax', normalize: true, metadata: false },
  sharedExpert: 'none',
  residualFirst: false,
  dropsRows: 'before-residual',
  hiddenOutput: 'none',
  logits: 'plain',
  positions: 1,
};

const GEMMA: DecoderRules = {
  ...LLAMA,
  scalesEmbedding: true,
  scalesQuery: true,
};

const GEMMA3: DecoderRules = {
  ...GEMMA,
  queryKeyNorm: 'heads',
  normsAttention: true,
  normsFeedForward: true,
  logits: 'soft-capped-if-set',
};

/** The rules around the layers of Gemma 3n, whose layers have a graph of their own. */
export const GEMMA3N_RULES: DecoderRules = { ...GEMMA3, logits: 'soft-capped' };

const COHERE: DecoderRules = {
  ...LLAMA,
  norm: 'layer',
  queryKeyNorm: 'heads',
  feedForwardNorm: null,
  parallel: true,
  logits: 'scaled-if-set',
};

const GRANITE: DecoderRules = { ...LLAMA, sharedExpert: 'plain', logits: 'scaled' };

const RULES: Readonly<Record<string, DecoderRules>> = {
  llama: LLAMA,
  mistral3: LLAMA,
  qwen2: LLAMA,
  qwen2vl: { ...LLAMA, positions: 4 },
  qwen2moe: {
    ...LLAMA,
    experts: { scoring: 'softmax', normalize: false, metadata: false },
    sharedExpert: 'divided',
  },
  qwen3: { ...LLAMA, queryKeyNorm: 'heads' },
  qwen3moe: { ...LLAMA, queryKeyNorm: 'heads' },
  gemma: GEMMA,
  gemma2: {
    ...GEMMA,
    softCapsScores: true,
    normsAttention: true,
    normsFeedForward: true,
    logits: 'soft-capped',
  },
  gemma3: GEMMA3,
  phi3: { ...LLAMA, scalesQuery: true, gating: 'halves', residualFirst: true },
  granite: { ...GRANITE, rope: 'if-finetuned' },
  granitemoe: GRANITE,
  granitehybrid: { ...GRANITE, rope: 'if-finetuned', logits: 'scaled-if-set' },
  glm4: {
    ...LLAMA,
    normsAttention: true,
    normsFeedForward: true,
    gating: 'halves',
  },
  glm4moe: {
    ...LLAMA,
    queryKeyNorm: 'heads',
    feedForwardNorm: 'post_attention_norm',
    experts: { scoring: 'sigmoid', normalize: false, metadata: true },
    sharedExpert: 'plain',
  },
  olmo2: {
    ...LLAMA,
    queryKeyNorm: 'flat',
    normsInput: false,
    normsAttention: true,
    feedForwardNorm: null,
    normsFeedForward: true,
  },
  olmoe: {
    ...LLAMA,
    queryKeyNorm: 'flat',
    experts: { scoring: 'softmax', normalize: false, metadata: false },
  },
  exaone4: {
    ...LLAMA,
    queryKeyNorm: 'heads',
    rope: 'windowed',
    normsInput: false,
    normsAttention: true,
    feedForwardNorm: null,
    normsFeedForward: true,
  },
  'command-r': COHERE,
  cohere2: { ...COHERE, queryKeyNorm: 'none', rope: 'windowed' },
  smollm3: { ...LLAMA, rope: 'not-each-fourth' },
  seed_oss: { ...LLAMA, feedForwardNorm: 'post_attention_norm' },
  starcoder2: { ...LLAMA, norm: 'layer', gating: 'none' },
  'gpt-oss': {
    ...LLAMA,
    feedForwardNorm: 'post_attention_norm',
    experts: { scoring: 'softmax-weight', normalize: false, metadata: false },
    dropsRows: 'at-the-end',
    hiddenOutput: 'before-norm',
  },
  deepseek2: {
    ...LLAMA,
    experts: { scoring: 'softmax', normalize: false, metadata: true },
    sharedExpert: 'plain',
    hiddenOutput: 'after-norm',
  },
  'falcon-h1': { ...LLAMA, dropsRows: 'after-residual' },
  mamba: LLAMA,
  mamba2: LLAMA,
  qwen3next: {
    ...LLAMA,
    feedForwardNorm: 'post_attention_norm',
    sharedExpert: 'sigmoid',
    dropsRows: 'after-norm',
    hiddenOutput: 'after-norm',
  },
  qwen35: {
    ...LLAMA,
    feedForwardNorm: 'post_attention_norm',
    dropsRows: 'after-norm',
    hiddenOutput: 'after-norm',
    positions: 4,
  },
  qwen35moe: {
    ...LLAMA,
    feedForwardNorm: 'post_attention_norm',
    sharedExpert: 'sigmoid',
    dropsRows: 'after-norm',
    hiddenOutput: 'after-norm',
    positions: 4,
  },
};

/** The rules of an architecture; `null` for an unknown architecture. */
export function decoderRules(architecture: string): DecoderRules | null {
  return (Object.hasOwn(RULES, architecture) ? RULES[architecture] : undefined) ?? null;
}

/**
 * The rules of an unknown architecture, guessed from its tensors. Rules that tensors do not show are those of
 * Llama.
 */
export function guessRules(
  has: (name: string) => boolean,
  hasBias: (name: string) => boolean,
): DecoderRules {
  const normsInput = has('attn_norm');
  const separate = has('ffn_norm');
  return {
    ...LLAMA,
    experts: { scoring: 'softmax', normalize: true, metadata: false },
    norm: hasBias('attn_norm') ? 'layer' : 'rms',
    queryKeyNorm: has('attn_q_norm') ? 'heads' : 'none',
    normsInput,
    normsAttention: separate && has('post_attention_norm'),
    feedForwardNorm: separate
      ? 'ffn_norm'
      : has('post_attention_norm')
        ? 'post_attention_norm'
        : null,
    normsFeedForward: has('post_ffw_norm'),
    gating: has('ffn_gate') ? 'split' : 'none',
    sharedExpert: has('ffn_up_shexp') ? 'plain' : 'none',
  };
}
