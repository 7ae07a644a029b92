import { KV_CACHE_TYPES } from '@mai/memory-ledger';

/** The words that settings of an estimate take, by the option of `mai estimate`. */
export const ESTIMATE_CHOICES = {
  'kv-k': KV_CACHE_TYPES,
  'kv-v': KV_CACHE_TYPES,
  'gpu-backend': ['none', 'cuda', 'metal', 'vulkan'],
  cpu: ['avx2', 'generic', 'auto'],
} as const;
