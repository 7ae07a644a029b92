import { KV_CACHE_TYPES, type KvCacheType, type LoadConfig } from '@mai/memory-ledger';
import type { ConfigField } from '../wire/frames.js';
import type { WorldModel } from '../world/world.js';

/** The settings of a load after defaults. */
export interface LoadSettings {
  readonly contextLengthTokens: number;
  /** Share of the layers on the GPU, 0 to 1; `null`: as many as fit. */
  readonly offloadRatio: LoadConfig['offloadRatio'];
  /** Share of the expert layers that stay on the CPU, 0 to 1. */
  readonly cpuExpertRatio: number;
  readonly parallelSequences: number;
  readonly kvCacheTypeK: KvCacheType;
  readonly kvCacheTypeV: KvCacheType;
  readonly kvCacheOnGpu: boolean;
  readonly flashAttention: boolean;
  readonly keepModelInMemory: boolean;
  readonly tryMmap: boolean;
  readonly physicalBatchTokens: number;
}

const OFFLOAD_KEYS = [
  'llm.load.llama.acceleration.offloadRatio',
  'embedding.load.llama.acceleration.offloadRatio',
];

/** Reads the fields of a load request. A field that is not set gets LM Studio's default. */
export function readLoadSettings(
  fields: readonly ConfigField[],
  model: WorldModel,
  defaultContextLength: number,
): LoadSettings {
  const value = (key: string): unknown => fields.find((field) => field.key === key)?.value;
  const contextLength = value(`${model.type}.load.contextLength`);
  const offload = OFFLOAD_KEYS.map(value).find((ratio) => ratio !== undefined);
  return {
    contextLengthTokens: Math.min(
      model.maxContextLength,
      typeof contextLength === 'number' ? contextLength : defaultContextLength,
    ),
    offloadRatio: offload === undefined || offload === 'max' ? null : ratioOf(offload),
    cpuExpertRatio: ratioOf(value('llm.load.numCpuExpertLayersRatio')),
    parallelSequences: numberOf(value('llm.load.numParallelSessions'), 4),
    kvCacheOnGpu: value('llm.load.offloadKVCacheToGpu') !== false,
    kvCacheTypeK: cacheTypeOf(value('llm.load.llama.kCacheQuantizationType')),
    kvCacheTypeV: cacheTypeOf(value('llm.load.llama.vCacheQuantizationType')),
    flashAttention: value('llm.load.llama.flashAttention') === true,
    keepModelInMemory: value(`${model.type}.load.llama.keepModelInMemory`) !== false,
    tryMmap: value(`${model.type}.load.llama.tryMmap`) !== false,
    physicalBatchTokens: numberOf(value('llm.load.llama.physicalBatchSize'), 512),
  };
}

/**
 * The configuration that a loaded instance reports: the fields of the request, with the context length
 * that the load got, and the defaults of fields that were not set.
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
    const defaults: readonly (readonly [string, unknown])[] = [
      ['llm.load.llama.acceleration.offloadRatio', offloadRatio],
      ['llm.load.numParallelSessions', settings.parallelSequences],
      ['llm.load.offloadKVCacheToGpu', settings.kvCacheOnGpu],
      ['llm.load.llama.flashAttention', settings.flashAttention],
      ['llm.load.llama.keepModelInMemory', settings.keepModelInMemory],
      ['llm.load.llama.tryMmap', settings.tryMmap],
    ];
    for (const [key, value] of defaults) if (!effective.has(key)) effective.set(key, value);
  }
  return [...effective].map(([key, value]) => ({ key, value }));
}

function ratioOf(value: unknown): number {
  if (value === 'max') return 1;
  return typeof value === 'number' ? Math.min(1, Math.max(0, value)) : 0;
}

function numberOf(value: unknown, fallback: number): number {
  return typeof value === 'number' && value >= 1 ? value : fallback;
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
