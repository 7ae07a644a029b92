import type { WorldModel } from '../world/world.js';

/** One entry of LM Studio's key-value configuration, as it travels. */
export interface ConfigField {
  readonly key: string;
  readonly value?: unknown;
}

/** What a load comes down to after defaults. */
export interface LoadSettings {
  readonly contextLengthTokens: number;
  /** Share of the layers on the GPU; null: as many as fit. */
  readonly offloadRatio: number | null;
  readonly cpuExpertRatio: number;
  readonly parallelSequences: number;
  readonly kvCacheOnGpu: boolean;
  readonly bytesPerKey: number;
  readonly bytesPerValue: number;
  readonly flashAttention: boolean;
  readonly keepModelInMemory: boolean;
  readonly tryMmap: boolean;
  readonly physicalBatchTokens: number;
}

// Bytes for each element: a block of 32 (or 1) elements with its scales, ggml-common.h.
const CACHE_ELEMENT_BYTES: Readonly<Record<string, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  q8_0: 34 / 32,
  q5_1: 24 / 32,
  q5_0: 22 / 32,
  q4_1: 20 / 32,
  q4_0: 18 / 32,
  iq4_nl: 18 / 32,
};

const OFFLOAD_KEYS = [
  'llm.load.llama.acceleration.offloadRatio',
  'embedding.load.llama.acceleration.offloadRatio',
];

/** Reads the fields of a load request; what they leave out is what LM Studio's settings default to. */
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
    bytesPerKey: cacheElementBytes(value('llm.load.llama.kCacheQuantizationType')),
    bytesPerValue: cacheElementBytes(value('llm.load.llama.vCacheQuantizationType')),
    flashAttention: value('llm.load.llama.flashAttention') === true,
    keepModelInMemory: value(`${model.type}.load.llama.keepModelInMemory`) !== false,
    tryMmap: value(`${model.type}.load.llama.tryMmap`) !== false,
    physicalBatchTokens: numberOf(value('llm.load.llama.physicalBatchSize'), 512),
  };
}

/**
 * The configuration that a loaded instance reports: what was asked for, with what it really got, and
 * the defaults that took effect.
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

function cacheElementBytes(value: unknown): number {
  if (typeof value !== 'object' || value === null || !('checked' in value) || !('value' in value)) {
    return 2;
  }
  return value.checked === true ? (CACHE_ELEMENT_BYTES[String(value.value)] ?? 2) : 2;
}
