import { KV_CACHE_TYPES } from '@mai/memory-ledger';
import type { EstimateSettings } from '@mai/memory-estimator';

/** No setting is given: LM Studio's default applies to each. */
export const NO_SETTINGS: EstimateSettings = {
  contextLengthTokens: null,
  kvCacheTypeK: null,
  kvCacheTypeV: null,
  flashAttention: null,
  batchTokens: null,
  ubatchTokens: null,
  parallelSequences: null,
  kvUnified: null,
  swaFull: null,
  gpuLayers: null,
  gpuBackend: null,
  cpu: null,
};

/** The words that an option of `mai estimate` takes, by the name of the option. */
export const ESTIMATE_CHOICES = {
  'kv-k': KV_CACHE_TYPES,
  'kv-v': KV_CACHE_TYPES,
  'gpu-backend': ['none', 'cuda', 'metal', 'vulkan'],
  cpu: ['avx2', 'generic', 'auto'],
} as const;
