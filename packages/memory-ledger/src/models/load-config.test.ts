import {
  DEFAULT_LOAD_CONFIG,
  isQuantizedCacheType,
  isSameLoadConfig,
  KV_CACHE_TYPES,
  LOAD_CONFIG_FIELDS,
  type LoadConfig,
} from '../index.js';

it('lists every field of a load configuration', () => {
  expect([...LOAD_CONFIG_FIELDS].sort()).toEqual(Object.keys(DEFAULT_LOAD_CONFIG).sort());
});

it.each<[keyof LoadConfig, Partial<LoadConfig>]>([
  ['contextLengthTokens', { contextLengthTokens: 1 }],
  ['parallelSequences', { parallelSequences: 1 }],
  ['offloadRatio', { offloadRatio: 0 }],
  ['kvCacheTypeK', { kvCacheTypeK: 'f16' }],
  ['kvCacheTypeV', { kvCacheTypeV: 'f16' }],
  ['flashAttention', { flashAttention: false }],
  ['cpuExpertRatio', { cpuExpertRatio: 0 }],
])('load configurations that differ in %s are not the same', (_field, change) => {
  const changed = { ...DEFAULT_LOAD_CONFIG, ...change };
  expect(isSameLoadConfig(changed, DEFAULT_LOAD_CONFIG)).toBe(false);
  expect(isSameLoadConfig(changed, { ...change, ...changed })).toBe(true);
});

it('counts every cache type but f32, f16 and bf16 as quantized', () => {
  expect(KV_CACHE_TYPES.filter((type) => !isQuantizedCacheType(type))).toEqual([
    'f32',
    'f16',
    'bf16',
  ]);
});
