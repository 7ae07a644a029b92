import { isQuantizedCacheType, type KvCacheType } from '@mai/memory-ledger';
import { keyLengthOf, keyWidthOf, valueLengthOf } from '../architecture/hyperparameters.js';
import type { Hyperparameters } from '../architecture/hyperparameters.js';
import { cacheLayout } from '../parts/context-buffers.js';
import type { SettingsProblem } from '../settings/check-figures.js';
import type { EngineSettings } from '../settings/estimate-settings.js';

/**
 * The settings that make llama.cpp refuse a load or abort, with any amount of memory. Without a model, only the
 * rules for all models are checked. Source: llama_init_from_model in llama-context.cpp. Each rule was tried with
 * v0.5.0.
 */
export function refusals(
  model: Hyperparameters | null,
  settings: EngineSettings,
): SettingsProblem[] {
  const problems: SettingsProblem[] = [];
  const refuse = (setting: SettingsProblem['setting'], message: string) =>
    problems.push({ setting, message });
  const { flashAttention, kvCacheTypeK, kvCacheTypeV, batchTokens, parallelSequences } = settings;
  if (batchTokens < parallelSequences)
    refuse(
      'batchTokens',
      `A batch of ${batchTokens} tokens is too small for ${parallelSequences} sequences, because each sequence needs a token.`,
    );
  if (!flashAttention && isQuantizedCacheType(kvCacheTypeV))
    refuse('kvCacheTypeV', `llama.cpp stores values as ${kvCacheTypeV} only with flash attention.`);
  if (model === null || !model.cached) return problems;
  if (model.latent !== null && kvCacheTypeK !== kvCacheTypeV)
    refuse(
      'kvCacheTypeV',
      `This model reads values from its keys, so keys and values need the same type, not ${kvCacheTypeK} and ${kvCacheTypeV}.`,
    );
  // With flash attention, blocks must not cross heads. Without flash attention, blocks must fill a row of all
  // heads.
  const keys = flashAttention ? keyLengthOf : keyWidthOf;
  const keyLength = firstUncut(model, keys, cacheLayout(kvCacheTypeK).blockElements);
  if (keyLength !== null)
    refuse('kvCacheTypeK', cutBlocks('keys', kvCacheTypeK, keyLength, flashAttention));
  const valueLength = firstUncut(model, valueLengthOf, cacheLayout(kvCacheTypeV).blockElements);
  if (flashAttention && valueLength !== null)
    refuse('kvCacheTypeV', cutBlocks('values', kvCacheTypeV, valueLength, true));
  return problems;
}

/** The first width that is not a multiple of the block; `null` where all widths are multiples. */
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
  return `llama.cpp refuses ${what} as ${type} here: the model has ${where} values, not a multiple of the block size ${blockElements}.`;
}
