import { pad } from '../pad.js';
import type { MlxCacheShape } from './cache-shape.js';
import type { MlxModel } from './read-mlx-model.js';
import { PREFILL_STEPS } from './sequence-memory.js';

const GIB = 1024 ** 3;

/** Sequences that mlx-engine answers at the same time (`DEFAULT_MAX_SEQ_NUMS`). */
export const MLX_SEQUENCES = 4;
/** Bytes that mlx-engine keeps free, because its own measurements were up to 2.41 GiB above its formula. */
export const RESERVE_BYTES = 3 * GIB;
/** The cache grows in blocks of this number of tokens (`KVCache.step` of mlx-lm). */
const BLOCK_TOKENS = 256;
/** The shortest context that is chosen, unless the model's maximum is shorter. */
const LEAST_TOKENS = 4096;
/** The smallest step is used only beyond this share of the context, in percent. */
const SMALLEST_STEP_FROM_PERCENT = 85;
/** Model families that mlx-engine's formula was checked with. */
const CHECKED = /^(gemma4|qwen3_[56])/;

/** The limit that macOS sets on the wired memory of the GPU. */
export interface WiredLimit {
  /**
   * Bytes that the GPU may hold: `iogpu.wired_limit_mb`, or Metal's recommended working set (two thirds to three
   * quarters of RAM). It is `totalBytes` of the GPU in a snapshot.
   */
  readonly workingSetBytes: number;
}

/**
 * The context that mlx-engine's auto-fit chooses for one sequence, in tokens.
 *
 * The rule, of `calculate_dynamic_context_fit` in mlx-engine's `batched_vision/context_fit.py`:
 *
 * 1. Free bytes = working set - 3 GiB - weights - state - windowed cache at the step.
 * 2. At a step of 512, the context is free bytes / (KV + input + scores per token), rounded up to 256 tokens.
 * 3. A second context follows from a step of 1024 over its first 85 %, rounded down to 256 tokens. The shorter
 *    context is taken.
 * 4. The context is at least 4096 tokens, and at most the model's maximum.
 *
 * @returns `null` where mlx-engine does not change the context: config.json does not state the caches or the longest
 * context, no layer keeps every token, or the formula gives 4096 tokens or fewer for a model family that it was not
 * checked with.
 */
export function fitMlxContext(
  { architecture, cache, maxContextTokens, weightsBytes }: MlxModel,
  { workingSetBytes }: WiredLimit,
): number | null {
  if (cache === null || maxContextTokens === null || cache.kvBytesPerToken === 0) return null;
  const isChecked =
    CHECKED.test(architecture ?? '') || (architecture === 'gpt_oss' && cache.scoreBytes === 0);
  const freeBytes = workingSetBytes - RESERVE_BYTES - weightsBytes - cache.stateBytes;
  const [, before, smallest] = PREFILL_STEPS;
  const fitted = Math.min(
    contextAtStep(cache, freeBytes, smallest),
    contextBeforeSmallest(cache, freeBytes, before),
  );
  const chosen = Math.min(maxContextTokens, Math.max(LEAST_TOKENS, fitted));
  return chosen <= LEAST_TOKENS && !isChecked ? null : chosen;
}

/**
 * The longest context with one prefill step, before the minimum and the model's maximum apply.
 *
 * @param freeBytes Bytes of the working set after subtracting the reserve, the weights and the state.
 */
export function contextAtStep(cache: MlxCacheShape, freeBytes: number, step: number): number {
  const { kvBytesPerToken, inputBytesPerToken, scoreBytes } = cache;
  const perToken = kvBytesPerToken + inputBytesPerToken + scoreBytes * step;
  const tokens = Math.floor(withoutWindow(cache, freeBytes, step) / perToken);
  return pad(tokens, BLOCK_TOKENS);
}

function contextBeforeSmallest(cache: MlxCacheShape, freeBytes: number, step: number): number {
  const { kvBytesPerToken, inputBytesPerToken, scoreBytes } = cache;
  const cached = kvBytesPerToken + scoreBytes * step;
  const hundredTokens = 100 * inputBytesPerToken + SMALLEST_STEP_FROM_PERCENT * cached;
  const tokens = Math.floor((100 * withoutWindow(cache, freeBytes, step)) / hundredTokens);
  return Math.floor(tokens / BLOCK_TOKENS) * BLOCK_TOKENS;
}

/** The free bytes after subtracting the windowed cache. */
function withoutWindow(
  { windowBytesPerToken, windowTokens }: MlxCacheShape,
  freeBytes: number,
  step: number,
): number {
  const peak = windowTokens === 0 ? 0 : windowBytesPerToken * (windowTokens - 1 + step);
  return Math.max(0, freeBytes - peak);
}
