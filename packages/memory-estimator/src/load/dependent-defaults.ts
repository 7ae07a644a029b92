// Defaults that depend on other settings of the load.
import { isQuantizedCacheType, type KvCacheType } from '@mai/memory-ledger';
import type { Hyperparameters } from '../architecture/hyperparameters.js';
import type { ImageAttention } from '../parts/image-attention.js';
import { known, type EngineProfile, type ProfileSetting } from '../profile/engine-profile.js';

/** llama.cpp turns flash attention off for Grok, whatever is asked for (llama_init_from_model in llama-context.cpp). */
export function refusesFlashAttention(model: Hyperparameters | null): boolean {
  return model?.architecture.name === 'grok';
}

/**
 * llama.cpp refuses quantized values without flash attention, so an engine that loads quantized values has flash
 * attention on.
 */
export function flashAttentionFor(
  values: KvCacheType,
  setting: ProfileSetting<boolean>,
  model: Hyperparameters | null,
): ProfileSetting<boolean> {
  if (refusesFlashAttention(model))
    return known(false, 'llama.cpp turns flash attention off for Grok (llama-context.cpp)');
  if (!isQuantizedCacheType(values)) return setting;
  const source = `values as ${values} need flash attention (llama-context.cpp)`;
  return known(true, source);
}

/** LM Studio has the setting for language models only, so an embedding model has the engine's default. */
export function kvCacheOffloadFor(
  { engine, settings: { offloadsKvCache } }: EngineProfile,
  isEmbedding: boolean,
): ProfileSetting<boolean> {
  if (engine !== 'lmstudio' || !isEmbedding) return offloadsKvCache;
  return known(
    true,
    'lmstudio-js packages/lms-kv-config/src/schema.ts has no such setting for embedding models',
  );
}

/**
 * The batch and the micro-batch of a load with this number of layers on GPUs. A shorter batch on the CPU would split an
 * image whose tokens attend to each other in both directions.
 */
export function batchOf(
  { batchTokens, ubatchTokens, cpuBatchTokens }: EngineProfile['settings'],
  gpuLayers: number,
  images: ImageAttention,
): Pick<EngineProfile['settings'], 'batchTokens' | 'ubatchTokens'> {
  const { value, source } = cpuBatchTokens;
  if (gpuLayers > 0 || images === 'non-causal' || value === null)
    return { batchTokens, ubatchTokens };
  return { batchTokens: known(value, source), ubatchTokens: known(value, source) };
}
