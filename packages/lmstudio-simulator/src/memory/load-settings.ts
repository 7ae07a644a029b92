import { KV_CACHE_TYPES, type KvCacheType, type LoadConfig } from '@mai/memory-ledger';
import type { LoadDefaults } from '../profile/load-defaults.js';
import type { ConfigField } from '../wire/frames.js';
import type { WorldModel } from '../world/world-model.js';

/** The settings of a load after defaults. */
export interface LoadSettings {
  readonly contextLengthTokens: number;
  /** Share of the layers on the GPU, 0 to 1; `null`: as many as fit (autoFit). */
  readonly offloadRatio: LoadConfig['offloadRatio'];
  /** Share of the expert layers that stay on the CPU, 0 to 1. */
  readonly cpuExpertRatio: number;
  readonly parallelSequences: number;
  readonly unifiedKvCache: boolean;
  readonly kvCacheTypeK: KvCacheType;
  readonly kvCacheTypeV: KvCacheType;
  readonly kvCacheOnGpu: boolean;
  readonly flashAttention: boolean;
  readonly keepModelInMemory: boolean;
  readonly tryMmap: boolean;
  readonly autoFit: boolean;
  readonly evalBatchTokens: number;
  readonly physicalBatchTokens: number;
  readonly contextCheckpoints: number;
  readonly promptCacheBytes: number;
  readonly slidingWindowCache: LoadDefaults['slidingWindowCache'];
  readonly logitRows: LoadDefaults['logitRows'];
}

const OFFLOAD_KEYS = [
  'llm.load.llama.acceleration.offloadRatio',
  'embedding.load.llama.acceleration.offloadRatio',
];

/** Reads the fields of a load request. A field that is not set gets its value from `defaults`. */
export function readLoadSettings(
  fields: readonly ConfigField[],
  model: WorldModel,
  defaults: LoadDefaults,
): LoadSettings {
  const value = (key: string): unknown => fields.find((field) => field.key === key)?.value;
  const isEmbedding = model.type === 'embedding';
  const wantedTokens = numberOf(
    value(`${model.type}.load.contextLength`),
    defaults.contextLengthTokens,
  );
  const contextLengthTokens =
    model.maxContextLength > 0 ? Math.min(model.maxContextLength, wantedTokens) : wantedTokens;
  const autoFit = !isEmbedding && booleanOf(value(autoFitKey(model)), defaults.autoFit);
  const offload = OFFLOAD_KEYS.map(value).find((ratio) => ratio !== undefined);
  const batchTokens = (given: unknown, fallback: number): number =>
    isEmbedding && defaults.embeddingBatchIsContext
      ? contextLengthTokens
      : numberOf(given, fallback);
  return {
    contextLengthTokens,
    offloadRatio:
      offload !== undefined && offload !== 'max' ? ratioOf(offload) : autoFit ? null : 1,
    cpuExpertRatio: ratioOf(value('llm.load.numCpuExpertLayersRatio')),
    // Assumed: the schema of lmstudio-js has no such setting for embedding models (lmstudio-bug-tracker #1830 sets one).
    parallelSequences: isEmbedding
      ? 1
      : numberOf(value('llm.load.numParallelSessions'), defaults.parallelSequences),
    unifiedKvCache: booleanOf(value('llm.load.useUnifiedKvCache'), defaults.unifiedKvCache),
    kvCacheOnGpu: value('llm.load.offloadKVCacheToGpu') !== false,
    kvCacheTypeK: cacheTypeOf(value('llm.load.llama.kCacheQuantizationType')),
    kvCacheTypeV: cacheTypeOf(value('llm.load.llama.vCacheQuantizationType')),
    // Embedding models lack this setting. lmstudio-bug-tracker #2293 reports the memory of an embedding model. It
    // equals that of a load without flash attention.
    flashAttention:
      !isEmbedding && booleanOf(value('llm.load.llama.flashAttention'), defaults.flashAttention),
    keepModelInMemory: value(`${model.type}.load.llama.keepModelInMemory`) !== false,
    tryMmap: value(`${model.type}.load.llama.tryMmap`) !== false,
    autoFit,
    evalBatchTokens: batchTokens(
      value(`${model.type}.load.llama.evalBatchSize`),
      defaults.evalBatchTokens,
    ),
    physicalBatchTokens: batchTokens(
      value('llm.load.llama.physicalBatchSize'),
      defaults.physicalBatchTokens,
    ),
    contextCheckpoints: numberOf(
      value('llm.load.llama.contextCheckpoints'),
      defaults.contextCheckpoints,
      0,
    ),
    // Assumed: llama-server b10257 also keeps the prompts of embeddings (defilantech/LLMKube #1406).
    promptCacheBytes: isEmbedding ? 0 : defaults.promptCacheBytes,
    slidingWindowCache: defaults.slidingWindowCache,
    logitRows: defaults.logitRows,
  };
}

/**
 * The configuration that a loaded instance reports: the fields of the request, with the context length
 * that the load got, and the defaults of fields that were not set. Invented: no capture shows which
 * defaults LM Studio reports.
 */
export function effectiveFields(
  fields: readonly ConfigField[],
  model: WorldModel,
  settings: LoadSettings,
  offloadRatio: number,
): readonly ConfigField[] {
  const contextKey = `${model.type}.load.contextLength`;
  const effective = new Map(fields.map((field) => [field.key, field.value]));
  effective.set(contextKey, settings.contextLengthTokens);
  if (model.type === 'llm') {
    const llama: readonly (readonly [string, unknown])[] = [
      ['llm.load.llama.acceleration.offloadRatio', offloadRatio],
      ['llm.load.offloadKVCacheToGpu', settings.kvCacheOnGpu],
      ['llm.load.llama.evalBatchSize', settings.evalBatchTokens],
      ['llm.load.llama.physicalBatchSize', settings.physicalBatchTokens],
      ['llm.load.llama.flashAttention', settings.flashAttention],
      ['llm.load.llama.contextCheckpoints', settings.contextCheckpoints],
      ['llm.load.llama.keepModelInMemory', settings.keepModelInMemory],
      ['llm.load.llama.tryMmap', settings.tryMmap],
      // Only mixture-of-experts models have this setting.
      ...(model.geometry.expertRatio > 0
        ? [['llm.load.numCpuExpertLayersRatio', settings.cpuExpertRatio] as const]
        : []),
    ];
    const defaults: readonly (readonly [string, unknown])[] = [
      [autoFitKey(model), settings.autoFit],
      ['llm.load.numParallelSessions', settings.parallelSequences],
      ['llm.load.useUnifiedKvCache', settings.unifiedKvCache],
      ...(model.format === 'gguf' ? llama : [['llm.load.mlx.diskCache', true] as const]),
    ];
    for (const [key, value] of defaults) if (!effective.has(key)) effective.set(key, value);
  }
  return [...effective].map(([key, value]) => ({ key, value }));
}

function autoFitKey({ format }: WorldModel): string {
  return format === 'gguf' ? 'llm.load.llama.autoFit' : 'llm.load.mlx.autoFit';
}

function ratioOf(value: unknown): number {
  if (value === 'max') return 1;
  return typeof value === 'number' ? Math.min(1, Math.max(0, value)) : 0;
}

function numberOf(value: unknown, fallback: number, least = 1): number {
  return typeof value === 'number' && value >= least ? value : fallback;
}

function booleanOf(value: unknown, fallback: boolean): boolean {
  return typeof value === 'boolean' ? value : fallback;
}

function cacheTypeOf(value: unknown): KvCacheType {
  const isSet =
    typeof value === 'object' &&
    value !== null &&
    'checked' in value &&
    value.checked === true &&
    'value' in value;
  const name = isSet ? value.value : null;
  return KV_CACHE_TYPES.find((type) => type === name) ?? 'f16';
}
