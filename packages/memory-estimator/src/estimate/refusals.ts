import { keyLengthOf, keyWidthOf, valueLengthOf } from '../architecture/hyperparameters.js';
import type { Hyperparameters } from '../architecture/hyperparameters.js';
import { cacheLayout } from '../parts/kv-cache.js';
import type { SettingsProblem } from '../settings/check-figures.js';
import type { KvCacheType } from '../settings/load-config.js';
import { isPlainType, type ResolvedSettings } from '../settings/estimate-settings.js';

/**
 * What llama.cpp refuses, or ends the process over, whatever memory there is: llama_init_from_model in
 * llama-context.cpp, each tried with v0.5.0. Without a model, only what holds for all of them.
 */
export function refusals(
  model: Hyperparameters | null,
  settings: ResolvedSettings,
): SettingsProblem[] {
  const problems: SettingsProblem[] = [];
  const refuse = (setting: SettingsProblem['setting'], message: string) =>
    problems.push({ setting, message });
  const { flashAttention, kvCacheTypeK, kvCacheTypeV, batchTokens, parallelSequences } = settings;
  if (batchTokens < parallelSequences)
    refuse(
      'batchTokens',
      `A batch of ${batchTokens} has no token for each of ${parallelSequences} sequences.`,
    );
  if (!flashAttention && !isPlainType(kvCacheTypeV))
    refuse('kvCacheTypeV', `llama.cpp keeps values as ${kvCacheTypeV} only with flash attention.`);
  if (model === null || !model.cached) return problems;
  if (model.latent !== null && kvCacheTypeK !== kvCacheTypeV)
    refuse(
      'kvCacheTypeV',
      `This model's keys hold its values, so that both have one type, not ${kvCacheTypeK} and ${kvCacheTypeV}.`,
    );
  // With flash attention blocks must not cross heads; without, a row of keys may be cut anywhere.
  const keys = flashAttention ? keyLengthOf : keyWidthOf;
  const keyLength = firstUncut(model, keys, cacheLayout(kvCacheTypeK).blockElements);
  if (keyLength !== null)
    refuse('kvCacheTypeK', cutBlocks('keys', kvCacheTypeK, keyLength, flashAttention));
  const valueLength = firstUncut(model, valueLengthOf, cacheLayout(kvCacheTypeV).blockElements);
  if (flashAttention && valueLength !== null)
    refuse('kvCacheTypeV', cutBlocks('values', kvCacheTypeV, valueLength, true));
  return problems;
}

/** The first width that blocks do not fill. */
function firstUncut(
  model: Hyperparameters,
  widthOf: (model: Hyperparameters, il: number) => number,
  blockElements: number,
): number | null {
  for (let il = 0; il < model.layers; il += 1) {
    const width = widthOf(model, il);
    if (width % blockElements !== 0) return width;
  }
  return null;
}

function cutBlocks(
  what: string,
  type: KvCacheType,
  width: number,
  flashAttention: boolean,
): string {
  const { blockElements } = cacheLayout(type);
  const where = flashAttention ? `heads of ${width}` : `rows of ${width}`;
  return `llama.cpp refuses ${what} as ${type} here: the model has ${where} values, which blocks of ${blockElements} do not fill.`;
}
