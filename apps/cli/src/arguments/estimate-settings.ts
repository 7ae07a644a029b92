import { ESTIMATE_CHOICES as CHOICES, type EstimateSettings } from '@mai/host';
import type { Input } from './input.js';

/** The settings of `mai estimate` from its options; null where an option is not given. */
export function settingsFromInput(input: Input): EstimateSettings {
  return {
    contextLengthTokens: input.integer('context', 1),
    kvCacheTypeK: input.choice('kv-k', CHOICES['kv-k']),
    kvCacheTypeV: input.choice('kv-v', CHOICES['kv-v']),
    flashAttention: input.onOff('flash-attention'),
    batchTokens: input.integer('batch', 1),
    ubatchTokens: input.integer('ubatch', 1),
    parallelSequences: input.integer('parallel', 1),
    kvUnified: input.onOff('kv-unified'),
    swaFull: input.has('swa-full') ? true : null,
    gpuLayers: input.integer('gpu-layers', 0),
    gpuBackend: input.choice('gpu-backend', CHOICES['gpu-backend']),
    cpu: input.choice('cpu', CHOICES.cpu),
  };
}
