import type { KvCacheType } from './load-config.js';

/** What computes beside the CPU. */
export type GpuBackend = 'none' | 'cuda' | 'metal' | 'vulkan';

/** The CPU's instruction set, which decides what llama.cpp repacks; `auto`: this machine's. */
export type CpuKind = 'avx2' | 'generic' | 'auto';

/** Everything that an estimate depends on beside the model; null takes LM Studio's default. */
export interface EstimateSettings {
  /** Per sequence where the cache is split, in all where it is unified. */
  readonly contextLengthTokens: number | null;
  readonly kvCacheTypeK: KvCacheType | null;
  readonly kvCacheTypeV: KvCacheType | null;
  readonly flashAttention: boolean | null;
  /** Tokens of a logical batch. */
  readonly batchTokens: number | null;
  /** Tokens that go through the model at once. */
  readonly ubatchTokens: number | null;
  readonly parallelSequences: number | null;
  /** One cache for all sequences. */
  readonly kvUnified: boolean | null;
  /** Windowed layers keep the whole context. */
  readonly swaFull: boolean | null;
  /** Layers on the GPU, the output layer counted as one more. */
  readonly gpuLayers: number | null;
  readonly gpuBackend: GpuBackend | null;
  readonly cpu: CpuKind | null;
}

/** Settings with every value in force. */
export type ResolvedSettings = {
  readonly [K in keyof EstimateSettings]-?: NonNullable<EstimateSettings[K]>;
};

/** LM Studio's defaults, as far as they can be seen from outside. */
const DEFAULTS = {
  contextLengthTokens: 4096,
  kvCacheTypeK: 'f16',
  kvCacheTypeV: 'f16',
  flashAttention: true,
  batchTokens: 512,
  ubatchTokens: 512,
  parallelSequences: 4,
  kvUnified: true,
  swaFull: false,
  gpuBackend: 'none',
  cpu: 'auto',
} as const;

/** Above any model's context and any machine's memory. */
export const MAX_TOKENS = 2 ** 30;

/** Fills in LM Studio's defaults. */
export function resolveSettings(settings: EstimateSettings): ResolvedSettings {
  const gpuBackend = settings.gpuBackend ?? DEFAULTS.gpuBackend;
  return {
    contextLengthTokens: settings.contextLengthTokens ?? DEFAULTS.contextLengthTokens,
    kvCacheTypeK: settings.kvCacheTypeK ?? DEFAULTS.kvCacheTypeK,
    kvCacheTypeV: settings.kvCacheTypeV ?? DEFAULTS.kvCacheTypeV,
    flashAttention: settings.flashAttention ?? DEFAULTS.flashAttention,
    batchTokens: settings.batchTokens ?? DEFAULTS.batchTokens,
    ubatchTokens: settings.ubatchTokens ?? DEFAULTS.ubatchTokens,
    parallelSequences: settings.parallelSequences ?? DEFAULTS.parallelSequences,
    kvUnified: settings.kvUnified ?? DEFAULTS.kvUnified,
    swaFull: settings.swaFull ?? DEFAULTS.swaFull,
    // Without a word, everything goes to the GPU that is there.
    gpuLayers: settings.gpuLayers ?? (gpuBackend === 'none' ? 0 : ALL_LAYERS),
    gpuBackend,
    cpu: settings.cpu ?? DEFAULTS.cpu,
  };
}

/** More layers than any model has. */
export const ALL_LAYERS = 9_999;

export function isPlainType(type: KvCacheType): boolean {
  return type === 'f32' || type === 'f16' || type === 'bf16';
}
