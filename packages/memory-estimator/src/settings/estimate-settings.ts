import type { KvCacheType } from '@mai/memory-ledger';

/** The GPU back end of llama.cpp; `none`: the CPU computes alone. */
export type GpuBackend = 'none' | 'cuda' | 'metal' | 'vulkan';

/**
 * The CPU's instruction set, which decides what weights llama.cpp repacks. `auto`: that of this machine.
 */
export type CpuKind = 'avx2' | 'generic' | 'auto';

/** Everything that an estimate depends on besides the model. `null` takes LM Studio's default. */
export interface EstimateSettings {
  /** Tokens of each sequence where the cache is split; of all sequences together where it is unified. */
  readonly contextLengthTokens: number | null;
  readonly kvCacheTypeK: KvCacheType | null;
  readonly kvCacheTypeV: KvCacheType | null;
  readonly flashAttention: boolean | null;
  /** Tokens of a logical batch. */
  readonly batchTokens: number | null;
  /** Tokens of a micro-batch, which go through the model at once. */
  readonly ubatchTokens: number | null;
  readonly parallelSequences: number | null;
  /** All sequences share one cache. */
  readonly kvUnified: boolean | null;
  /** Sliding-window layers keep the whole context. */
  readonly swaFull: boolean | null;
  /** Number of layers on the GPU; the output layer counts as one. */
  readonly gpuLayers: number | null;
  readonly gpuBackend: GpuBackend | null;
  readonly cpu: CpuKind | null;
}

/** Settings after the defaults are filled in. */
export type ResolvedSettings = {
  readonly [K in keyof EstimateSettings]-?: NonNullable<EstimateSettings[K]>;
};

/** LM Studio's defaults, as far as they can be observed. */
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

/** More tokens than any model or machine can hold. Longer contexts count as this. */
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
    // LM Studio puts all layers on the GPU by default.
    gpuLayers: settings.gpuLayers ?? (gpuBackend === 'none' ? 0 : ALL_LAYERS),
    gpuBackend,
    cpu: settings.cpu ?? DEFAULTS.cpu,
  };
}

/** More layers than any model has. */
const ALL_LAYERS = 9_999;

/** Whether a cache type stores plain numbers rather than quantized blocks. */
export function isPlainType(type: KvCacheType): boolean {
  return type === 'f32' || type === 'f16' || type === 'bf16';
}
