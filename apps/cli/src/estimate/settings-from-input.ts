import type { EstimateSettings } from '@mai/memory-estimator';
import type { Input } from '../command-line/input.js';

/** The settings of `mai estimate` from its options; null is LM Studio's default. */
export function settingsFromInput(input: Input): EstimateSettings {
  return {
    contextLengthTokens: input.integer('context', 1),
    kvCacheTypeK: input.text('kv-k') as EstimateSettings['kvCacheTypeK'],
    kvCacheTypeV: input.text('kv-v') as EstimateSettings['kvCacheTypeV'],
    flashAttention: input.onOff('flash-attention'),
    batchTokens: input.integer('batch', 1),
    ubatchTokens: input.integer('ubatch', 1),
    parallelSequences: input.integer('parallel', 1),
    kvUnified: input.onOff('kv-unified'),
    swaFull: input.has('swa-full') ? true : null,
    gpuLayers: input.integer('gpu-layers', 0),
    gpuBackend: input.text('gpu-backend') as EstimateSettings['gpuBackend'],
    cpu: input.text('cpu') as EstimateSettings['cpu'],
  };
}
