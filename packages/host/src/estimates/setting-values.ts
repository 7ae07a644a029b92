import { KV_CACHE_TYPES } from '@mai/memory-ledger';

/** The words that an option of `mai estimate` takes, by the name of the option. */
export const ESTIMATE_CHOICES = {
  'kv-k': KV_CACHE_TYPES,
  'kv-v': KV_CACHE_TYPES,
  'gpu-backend': ['none', 'cuda', 'metal', 'vulkan'],
  cpu: ['avx2', 'generic', 'auto'],
} as const;
