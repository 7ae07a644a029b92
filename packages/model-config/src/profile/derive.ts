import type { Capability, Tier } from '@mai/memory-ledger';
import { BYTES_PER_GIB } from '../format/quantities.js';
import type { DownloadedModel } from './downloaded-model.js';

// Guesses about a model that is not configured. A test compares the size limits with the
// categories of the built-in configuration.

/** Smaller files are of tier small: up to about 3B parameters at 4 bits. */
const MEDIUM_FROM_BYTES = 2 * BYTES_PER_GIB;
/** Files of this size or more are of tier large: from about 12B parameters at 4 bits. */
const LARGE_FROM_BYTES = 6.5 * BYTES_PER_GIB;

/** A file of type Q4_K_M, the most common download, has 4.85 bits for each parameter. */
const BYTES_PER_PARAMETER = 4.85 / 8;

const DEFAULT_CONTEXT_TOKENS = 8192;
// LM Studio's default for a model whose maximum is unknown.
const CAREFUL_CONTEXT_TOKENS = 4096;
const ANALYSIS_CONTEXT_TOKENS = 32_768;

/**
 * The tier from the size of the file, else from the number of parameters in a name, else medium.
 */
export function deriveTier(sizeBytes: number | null, ...names: readonly (string | null)[]): Tier {
  const bytes = sizeBytes !== null && sizeBytes > 0 ? sizeBytes : bytesByName(names);
  if (bytes === null) return 'medium';
  if (bytes >= LARGE_FROM_BYTES) return 'large';
  return bytes >= MEDIUM_FROM_BYTES ? 'medium' : 'small';
}

function bytesByName(names: readonly (string | null)[]): number | null {
  for (const name of names) {
    // Matches `8x7b`, `30b-a3b` (30b: all experts), `4b` and `270m`, but not `bf16` or `q4_k_m`.
    const match = /(?:^|[^a-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?)([bm])(?![a-z0-9])/i.exec(name ?? '');
    if (match === null) continue;
    const [, experts, amount, unit] = match;
    const parameters = Number(amount) * Number(experts ?? 1) * (/b/i.test(unit ?? '') ? 1e9 : 1e6);
    return parameters * BYTES_PER_PARAMETER;
  }
  return null;
}

const CODING =
  /(^|[^a-z])(code|coder|codestral|codegemma|codellama|deepcoder|devstral|opencoder|starcoder\d*|swe)([^a-z]|$)/i;
const REASONING =
  /(^|[^a-z0-9])(thinking|thinker|reason|reasoner|reasoning|r1|qwq|magistral|gpt-oss|seed-oss|cogito|deepscaler|exaone-deep|glm-z1|marco-o1|openthinker\d*|nemotron-nano)([^a-z0-9]|$)/i;
// Qwen 3 reasons on demand, except for its instruct releases of July 2025 (2507) and its coders.
const QWEN3 = /qwen-?3(?!\.)/i;
const QWEN3_WITHOUT_THINKING = /coder|instruct|2507|embedding|reranker/i;
const EMBEDDING = /(^|[^a-z])(embed|embedding|embeddinggemma)([^a-z]|$)/i;

/** Capabilities from LM Studio's facts and from words that publishers use in model names. */
export function deriveCapabilities(facts: {
  readonly modelKey: string;
  readonly tier: Tier;
  readonly downloaded: DownloadedModel | null;
}): readonly Capability[] {
  const { modelKey, tier, downloaded } = facts;
  const embedding =
    downloaded === null ? EMBEDDING.test(modelKey) : downloaded.kind === 'embedding';
  if (embedding) return ['embedding'];
  const name = `${modelKey} ${downloaded?.displayName ?? ''}`;
  const isQwen3 = QWEN3.test(modelKey);
  // Some Qwen 3 files without thinking have the template of those with it.
  const thinks = isQwen3 ? !QWEN3_WITHOUT_THINKING.test(name) : downloaded?.reasoning === true;
  const reasons = (thinks || REASONING.test(name)) && !/non-?thinking|no-?think/i.test(name);
  const longContext = (downloaded?.maxContextLengthTokens ?? 0) >= ANALYSIS_CONTEXT_TOKENS;
  const all: readonly (Capability | null)[] = [
    'chat',
    reasons ? 'reasoning' : null,
    // Analysis of long documents needs a long context and a model above the small tier.
    longContext && tier !== 'small' ? 'analysis' : null,
    CODING.test(name) ? 'coding' : null,
    downloaded?.toolUse === true ? 'tools' : null,
    downloaded?.vision === true ? 'vision' : null,
  ];
  return all.filter((capability) => capability !== null);
}

/** 8192 tokens, or the model's maximum where that is less, or 4096 where the maximum is unknown. */
export function deriveContextLengthTokens(maxContextLengthTokens: number | null): number {
  return Math.min(maxContextLengthTokens ?? CAREFUL_CONTEXT_TOKENS, DEFAULT_CONTEXT_TOKENS);
}

/** The key without the publisher: `qwen3-4b@q8_0` for `qwen/qwen3-4b@q8_0`. */
export function deriveDisplayName(modelKey: string): string {
  return modelKey.slice(modelKey.lastIndexOf('/') + 1);
}
