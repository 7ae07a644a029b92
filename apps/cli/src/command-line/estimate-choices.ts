const KV_CACHE_TYPES = [
  'f32',
  'f16',
  'bf16',
  'q8_0',
  'q5_1',
  'q5_0',
  'q4_1',
  'q4_0',
  'iq4_nl',
] as const;

/** What the options of `mai estimate` take, and the fields of its lines. */
export const CHOICES = {
  'kv-k': KV_CACHE_TYPES,
  'kv-v': KV_CACHE_TYPES,
  'gpu-backend': ['none', 'cuda', 'metal', 'vulkan'],
  cpu: ['avx2', 'generic', 'auto'],
} as const;
