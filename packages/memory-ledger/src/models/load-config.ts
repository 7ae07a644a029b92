/** Number types of a KV cache, named as in llama.cpp, the widest first. */
export const KV_CACHE_TYPES = [
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

/** The data type of the numbers in the KV cache. */
export type KvCacheType = (typeof KV_CACHE_TYPES)[number];

/**
 * Whether a cache type stores quantized blocks rather than plain numbers. llama.cpp stores quantized values only with
 * flash attention.
 */
export function isQuantizedCacheType(type: KvCacheType): boolean {
  return type !== 'f32' && type !== 'f16' && type !== 'bf16';
}

/** The settings of a load. `null` leaves a field to the runtime's default. */
export interface LoadConfig {
  /** Tokens of context for each sequence, prompt and response together. */
  readonly contextLengthTokens: number | null;
  /** Requests that can be answered at the same time. */
  readonly parallelSequences: number | null;
  /** Share of the layers on the GPU, 0 to 1. */
  readonly offloadRatio: number | null;
  readonly kvCacheTypeK: KvCacheType | null;
  readonly kvCacheTypeV: KvCacheType | null;
  readonly flashAttention: boolean | null;
  /** Share of the expert layers that stay on the CPU, 0 to 1. */
  readonly cpuExpertRatio: number | null;
}

/** Leaves every field to the runtime's default. */
export const DEFAULT_LOAD_CONFIG: LoadConfig = {
  contextLengthTokens: null,
  parallelSequences: null,
  offloadRatio: null,
  kvCacheTypeK: null,
  kvCacheTypeV: null,
  flashAttention: null,
  cpuExpertRatio: null,
};

/** Every field of a load configuration. */
export const LOAD_CONFIG_FIELDS = [
  'contextLengthTokens',
  'parallelSequences',
  'offloadRatio',
  'kvCacheTypeK',
  'kvCacheTypeV',
  'flashAttention',
  'cpuExpertRatio',
] as const satisfies readonly (keyof LoadConfig)[];

/** Whether two load configurations are equal in every field. */
export function isSameLoadConfig(a: LoadConfig, b: LoadConfig): boolean {
  return LOAD_CONFIG_FIELDS.every((field) => a[field] === b[field]);
}
