import {
  DEFAULT_LOAD_CONFIG,
  type KvCacheType,
  type LoadConfig,
  type ModelKind,
} from '../models/model-types.js';
import type { RawConfigField, WireKvCacheType, WireLoadConfig } from '../wire/wire.js';

const WIRE_KV_TYPES: ReadonlySet<string> = new Set<WireKvCacheType>([
  'f32',
  'f16',
  'q8_0',
  'q5_1',
  'q5_0',
  'q4_1',
  'q4_0',
  'iq4_nl',
]);

/** Why LM Studio could never load with this configuration; `null`: nothing is wrong with it. */
export function loadConfigProblem(config: LoadConfig): string | null {
  for (const [name, type] of [
    ['K', config.kvCacheTypeK],
    ['V', config.kvCacheTypeV],
  ] as const) {
    if (type !== null && !WIRE_KV_TYPES.has(type)) {
      return `LM Studio has no ${type} cache for ${name}; choose one of ${[...WIRE_KV_TYPES].join(', ')}`;
    }
  }
  for (const [name, ratio] of [
    ['offloadRatio', config.offloadRatio],
    ['cpuExpertRatio', config.cpuExpertRatio],
  ] as const) {
    if (ratio !== null && !(ratio >= 0 && ratio <= 1)) {
      return `${name} is ${ratio}; it goes from 0 to 1`;
    }
  }
  for (const [name, count] of [
    ['contextLengthTokens', config.contextLengthTokens],
    ['parallelSequences', config.parallelSequences],
  ] as const) {
    if (count !== null && !(Number.isInteger(count) && count >= 1)) {
      return `${name} is ${count}; it is a whole number of at least 1`;
    }
  }
  return null;
}

/** The configuration in the SDK's spelling; what is `null` is left out, so LM Studio decides. */
export function toWireLoadConfig(
  kind: ModelKind,
  config: LoadConfig,
  keepModelInMemory: boolean | null,
): WireLoadConfig {
  const shared: WireLoadConfig = {
    ...given('contextLength', config.contextLengthTokens),
    ...given('keepModelInMemory', keepModelInMemory),
  };
  // SDK 2.0.0 has nothing else for embedding models: it drops gpu.ratio without a word.
  if (kind === 'embedding') return shared;
  const gpu = {
    ...given('ratio', config.offloadRatio),
    ...given('numCpuExpertLayersRatio', config.cpuExpertRatio),
  };
  return {
    ...shared,
    ...given('maxParallelPredictions', config.parallelSequences),
    ...given('flashAttention', config.flashAttention),
    ...given('llamaKCacheQuantizationType', config.kvCacheTypeK as WireKvCacheType | null),
    ...given('llamaVCacheQuantizationType', config.kvCacheTypeV as WireKvCacheType | null),
    ...(Object.keys(gpu).length === 0 ? {} : { gpu }),
  };
}

/** What an instance runs with, from LM Studio's fields; what is not there is `null`. */
export function fromWireLoadConfig(
  kind: ModelKind,
  fields: readonly RawConfigField[],
): { readonly loadConfig: LoadConfig; readonly keepModelInMemory: boolean | null } {
  const values = new Map(fields.map(({ key, value }) => [key, value]));
  const own = (name: string): unknown => values.get(`${kind}.load.${name}`);
  return {
    loadConfig: {
      ...DEFAULT_LOAD_CONFIG,
      contextLengthTokens: asNumber(own('contextLength')),
      parallelSequences: asNumber(own('numParallelSessions')),
      offloadRatio: asRatio(own('llama.acceleration.offloadRatio')),
      kvCacheTypeK: asKvType(own('llama.kCacheQuantizationType')),
      kvCacheTypeV: asKvType(own('llama.vCacheQuantizationType')),
      flashAttention: asBoolean(own('llama.flashAttention')),
      cpuExpertRatio: asRatio(own('numCpuExpertLayersRatio')),
    },
    keepModelInMemory: asBoolean(own('llama.keepModelInMemory')),
  };
}

function given<K extends string, V>(key: K, value: V | null): Partial<Record<K, V>> {
  return value === null ? {} : ({ [key]: value } as Record<K, V>);
}

function asNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function asBoolean(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

function asRatio(value: unknown): number | null {
  if (value === 'max') return 1;
  if (value === 'off') return 0;
  return asNumber(value);
}

/** A cleared checkbox means no quantization, which in llama.cpp is an f16 cache. */
function asKvType(value: unknown): KvCacheType | null {
  if (typeof value !== 'object' || value === null || !('checked' in value)) return null;
  if (value.checked === false) return 'f16';
  const type = 'value' in value ? value.value : null;
  return typeof type === 'string' && WIRE_KV_TYPES.has(type) ? (type as KvCacheType) : null;
}
