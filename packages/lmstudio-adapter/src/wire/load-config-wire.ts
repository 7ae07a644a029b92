import { DEFAULT_LOAD_CONFIG, type KvCacheType, type LoadConfig } from '@mai/memory-ledger';
import { boolean, MAX_SEQUENCES, number, wholeNumber } from '../json-fields.js';
import type { ModelKind, RawConfigField, WireKvCacheType, WireLoadConfig } from './wire.js';

/** Every KV cache type that LM Studio offers. `bf16` is not offered. */
const WIRE_KV_TYPES = ['f32', 'f16', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0', 'iq4_nl'] as const;

/** Why LM Studio can never load with this configuration; `null`: it can load. */
export function loadConfigProblem(config: LoadConfig): string | null {
  for (const [name, type] of [
    ['K', config.kvCacheTypeK],
    ['V', config.kvCacheTypeV],
  ] as const) {
    if (type !== null && !isWireKvType(type)) {
      return `LM Studio has no ${type} cache for ${name}. Choose one of ${WIRE_KV_TYPES.join(', ')}`;
    }
  }
  for (const [name, ratio] of [
    ['offloadRatio', config.offloadRatio],
    ['cpuExpertRatio', config.cpuExpertRatio],
  ] as const) {
    if (ratio !== null && !(ratio >= 0 && ratio <= 1)) {
      return `${name} is ${ratio}, but must be from 0 to 1`;
    }
  }
  for (const [name, count] of [
    ['contextLengthTokens', config.contextLengthTokens],
    ['parallelSequences', config.parallelSequences],
  ] as const) {
    if (count !== null && !(Number.isInteger(count) && count >= 1)) {
      return `${name} is ${count}, but must be a whole number of at least 1`;
    }
  }
  return null;
}

/** The configuration in the SDK's spelling. Fields that are `null` are left out, so LM Studio chooses them. */
export function toWireLoadConfig(
  kind: ModelKind,
  config: LoadConfig,
  keepModelInMemory: boolean | null,
): WireLoadConfig {
  const shared: WireLoadConfig = {
    ...(config.contextLengthTokens === null ? {} : { contextLength: config.contextLengthTokens }),
    ...(keepModelInMemory === null ? {} : { keepModelInMemory }),
  };
  // SDK 2.0.0 passes on only these fields for embedding models. It drops all other fields without an error, even
  // `gpu.ratio`.
  if (kind === 'embedding') return shared;
  const { offloadRatio, cpuExpertRatio, parallelSequences, flashAttention } = config;
  const gpu = {
    ...(offloadRatio === null ? {} : { ratio: offloadRatio }),
    ...(cpuExpertRatio === null ? {} : { numCpuExpertLayersRatio: cpuExpertRatio }),
  };
  return {
    ...shared,
    ...(parallelSequences === null ? {} : { maxParallelPredictions: parallelSequences }),
    ...(flashAttention === null ? {} : { flashAttention }),
    ...(isWireKvType(config.kvCacheTypeK)
      ? { llamaKCacheQuantizationType: config.kvCacheTypeK }
      : {}),
    ...(isWireKvType(config.kvCacheTypeV)
      ? { llamaVCacheQuantizationType: config.kvCacheTypeV }
      : {}),
    ...(Object.keys(gpu).length === 0 ? {} : { gpu }),
  };
}

/** The configuration of an instance from LM Studio's fields. Absent fields are `null`. */
export function fromWireLoadConfig(
  kind: ModelKind,
  fields: readonly RawConfigField[],
): { readonly loadConfig: LoadConfig; readonly keepModelInMemory: boolean | null } {
  const values = new Map(fields.map(({ key, value }) => [key, value]));
  const own = (name: string): unknown => values.get(`${kind}.load.${name}`);
  return {
    loadConfig: {
      ...DEFAULT_LOAD_CONFIG,
      contextLengthTokens: number(own('contextLength')),
      parallelSequences: wholeNumber(own('numParallelSessions'), 1, MAX_SEQUENCES),
      offloadRatio: asRatio(own('llama.acceleration.offloadRatio')),
      kvCacheTypeK: asKvType(own('llama.kCacheQuantizationType')),
      kvCacheTypeV: asKvType(own('llama.vCacheQuantizationType')),
      flashAttention: boolean(own('llama.flashAttention')),
      cpuExpertRatio: asRatio(own('numCpuExpertLayersRatio')),
    },
    keepModelInMemory: boolean(own('llama.keepModelInMemory')),
  };
}

function asRatio(value: unknown): number | null {
  if (value === 'max') return 1;
  if (value === 'off') return 0;
  return number(value);
}

/**
 * LM Studio stores a checkbox and a type. An unchecked box means no quantization: llama.cpp then
 * uses f16.
 */
function asKvType(value: unknown): KvCacheType | null {
  if (typeof value !== 'object' || value === null || !('checked' in value)) return null;
  if (value.checked === false) return 'f16';
  const type = 'value' in value ? value.value : null;
  return isWireKvType(type) ? type : null;
}

function isWireKvType(type: unknown): type is WireKvCacheType {
  return WIRE_KV_TYPES.some((one) => one === type);
}
