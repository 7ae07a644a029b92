import { pad } from '../pad.js';
import { compareVersions, type VersionParts } from '../profile/runtime-version.js';
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

/** The part of the working set that the auto-fit with one step keeps free, if this is more than `RESERVE_BYTES`, in percent. */
const RESERVE_PERCENT = 5;

/**
 * How a version of mlx-engine chooses a context.
 *
 * - `none`: it loads with the context that it is asked for.
 * - `one-step`: it reads every prompt 2048 tokens at a time, and fits the context to that (lmstudio-ai/mlx-engine #345).
 * - `smaller-steps`: it reads the last part of a prompt in smaller steps, so the context is longer (#367 of 2026-08-17).
 */
export type MlxAutoFit = 'none' | 'one-step' | 'smaller-steps';

/**
 * The auto-fit of a version. Reports: none in 1.8.5 and 1.10.0, one step in 1.10.1 and 1.11.0 (mlx-engine #366,
 * lmstudio-bug-tracker #2191 and #2250). #367 is newer than 1.11.0.
 *
 * @param version Such as `1.11.0`. `null`, and a text that is not a version: the newest known auto-fit.
 */
export function mlxAutoFitOf(version: string | null): MlxAutoFit {
  // A group that matches nothing is undefined, whatever the type says.
  const numbers: readonly (string | undefined)[] | undefined = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?$/
    .exec(version ?? '')
    ?.slice(1);
  if (numbers === undefined) return 'smaller-steps';
  const [major = 0, minor = 0, patch = 0] = numbers.map((part) => Number(part ?? 0));
  const parts: VersionParts = [major, minor, patch];
  if (compareVersions(parts, [1, 10, 1]) < 0) return 'none';
  return compareVersions(parts, [1, 11, 0]) <= 0 ? 'one-step' : 'smaller-steps';
}

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
 * The auto-fit with one step keeps the larger of 3 GiB and 5 % of the working set free, and takes the context at a step of 2048
 * in place of 2 and 3.
 *
 * @param autoFit Default: the newest known one.
 * @returns `null` where mlx-engine does not change the context: it has no auto-fit, config.json does not state the caches or the longest
 * context, no layer keeps every token, or the formula gives 4096 tokens or fewer for a model family that it was not
 * checked with.
 */
export function fitMlxContext(
  { architecture, cache, maxContextTokens, weightsBytes }: MlxModel,
  { workingSetBytes }: WiredLimit,
  autoFit: MlxAutoFit = 'smaller-steps',
): number | null {
  if (autoFit === 'none') return null;
  if (cache === null || maxContextTokens === null || cache.kvBytesPerToken === 0) return null;
  const isChecked =
    CHECKED.test(architecture ?? '') || (architecture === 'gpt_oss' && cache.scoreBytes === 0);
  const isOneStep = autoFit === 'one-step';
  const share = isOneStep ? (RESERVE_PERCENT * workingSetBytes) / 100 : 0;
  const freeBytes =
    workingSetBytes - Math.max(RESERVE_BYTES, share) - weightsBytes - cache.stateBytes;
  const [largest, before, smallest] = PREFILL_STEPS;
  const fitted = isOneStep
    ? contextAtStep(cache, freeBytes, largest)
    : Math.min(
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
