import { boolean, MAX_TOKENS, number, record, text, wholeNumber } from '../json-fields.js';
import type { ModelKind, RawConfigField } from '../wire/wire.js';
import { type GpuSplit, toGpuSplit } from '../home/gpu-split.js';

/** How an instance drafts tokens for speculative decoding. */
export type DraftMethod =
  'mtp' | 'draft-model' | 'mtp-sidecar' | 'dflash-sidecar' | 'dspark-sidecar';

/**
 * The settings of an instance that `LoadConfig` does not have. `null`: LM Studio does not report
 * the setting.
 */
export interface InstanceSettings {
  /** Whether all parallel sequences share one KV cache. */
  readonly kvUnified: boolean | null;
  /** Tokens of a logical batch (llama.cpp's `n_batch`). */
  readonly batchTokens: number | null;
  /** Tokens of a micro-batch (llama.cpp's `n_ubatch`). */
  readonly ubatchTokens: number | null;
  /** Maximum number of context checkpoints for each parallel sequence; 0: no checkpoints. */
  readonly contextCheckpoints: number | null;
  /** Tokens that are drafted for each sequence; 0: no speculative decoding. */
  readonly draftTokens: number | null;
  readonly draftMethods: readonly DraftMethod[];
  /** `null`: there is no separate draft model, or LM Studio does not report it. */
  readonly draftModelKey: string | null;
  /**
   * Whether LM Studio chose the context and the layers on the GPU itself, to fit into memory. The
   * engine may then have fewer layers on the GPU than `offloadRatio` says.
   */
  readonly autoFit: boolean | null;
  /** The shortest context that LM Studio may choose; 0: no limit. */
  readonly autoFitMinContextTokens: number | null;
  /** Whether the layers on the GPU have their KV cache on the GPU, too. */
  readonly offloadKvCacheToGpu: boolean | null;
  readonly tryMmap: boolean | null;
  readonly tryDirectIo: boolean | null;
  /** Active experts for each token; 0: the model's own number. */
  readonly numExperts: number | null;
  readonly gpuSplit: GpuSplit | null;
  /** Whether only the GPU's own memory may be used. */
  readonly gpuStrictVramCap: boolean | null;
  readonly mlxDiskCache: boolean | null;
  /** MLX: quantization of the KV cache; `null`: off, or not reported. */
  readonly mlxKvCache: {
    readonly bits: number | null;
    readonly groupSize: number | null;
    /** Index of the first token whose cache is quantized. */
    readonly fromToken: number | null;
  } | null;
}

/** Reads the settings from LM Studio's fields. @param format The model's format: `gguf`, `mlx`, ... */
export function toInstanceSettings(
  kind: ModelKind,
  format: string,
  fields: readonly RawConfigField[],
): InstanceSettings {
  const values = new Map(fields.map(({ key, value }) => [key, value]));
  const own = (name: string): unknown => values.get(`${kind}.load.${name}`);
  const draft = (name: string): unknown => own(`llama.speculativeDecoding.${name}`);
  const drafts = DRAFT_KEYS.map(({ key, method }) => ({ method, on: boolean(draft(key)) }));
  const draftMethods = drafts.filter(({ on }) => on === true).map(({ method }) => method);
  const mlxKvCache = record(own('mlx.kvCacheQuantization'));
  return {
    kvUnified: boolean(own('useUnifiedKvCache')),
    batchTokens: wholeNumber(own('llama.evalBatchSize'), 1, MAX_TOKENS),
    ubatchTokens: wholeNumber(own('llama.physicalBatchSize'), 1, MAX_TOKENS),
    contextCheckpoints: wholeNumber(own('llama.contextCheckpoints'), 0, MAX_TOKENS),
    draftTokens:
      draftMethods.length > 0
        ? wholeNumber(draft('draftMaxTokens'), 0, MAX_TOKENS)
        : drafts.some(({ on }) => on === false)
          ? 0
          : null,
    draftMethods,
    draftModelKey: text(draft('draftModel')),
    autoFit: boolean(own(format === 'mlx' ? 'mlx.autoFit' : 'llama.autoFit')),
    autoFitMinContextTokens: number(own('autoFitMinContextLength')),
    offloadKvCacheToGpu: boolean(own('offloadKVCacheToGpu')),
    tryMmap: boolean(own('llama.tryMmap')),
    tryDirectIo: boolean(own('llama.tryDirectIO')),
    numExperts: number(own('numExperts')),
    gpuSplit: toGpuSplit(values.get('load.gpuSplitConfig')),
    gpuStrictVramCap: boolean(values.get('load.gpuStrictVramCap')),
    mlxDiskCache: boolean(own('mlx.diskCache')),
    mlxKvCache:
      mlxKvCache?.['enabled'] === true
        ? {
            bits: number(mlxKvCache['bits']),
            groupSize: number(mlxKvCache['groupSize']),
            fromToken: number(mlxKvCache['quantizedStart']),
          }
        : null,
  };
}

const DRAFT_KEYS: readonly { readonly key: string; readonly method: DraftMethod }[] = [
  { key: 'draftMtp', method: 'mtp' },
  { key: 'draftSimple', method: 'draft-model' },
  { key: 'draftMtpSidecar', method: 'mtp-sidecar' },
  { key: 'draftDflashSidecar', method: 'dflash-sidecar' },
  { key: 'draftDsparkSidecar', method: 'dspark-sidecar' },
];
