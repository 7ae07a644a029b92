import { fromWireLoadConfig } from '../wire/load-config-wire.js';
import type {
  RawConfigField,
  RawInstanceInfo,
  RawModelInfo,
  RawProcessingState,
} from '../wire/wire.js';
import type { DownloadedModel, InstanceActivity, ResidentInstance } from './model-types.js';

/** A downloaded model from LM Studio's listing. */
export function toDownloadedModel(raw: RawModelInfo): DownloadedModel {
  return {
    modelKey: raw.modelKey,
    kind: raw.type,
    displayName: raw.displayName,
    publisher: raw.publisher === '' ? null : raw.publisher,
    architecture: raw.architecture ?? null,
    format: toFormat(raw.format),
    quantization: raw.quantization ?? null,
    sizeBytes: raw.sizeBytes,
    parameters: raw.paramsString ?? null,
    maxContextLengthTokens: raw.maxContextLength,
    vision: raw.vision ?? false,
    toolUse: raw.trainedForToolUse ?? false,
    variants: raw.variants ?? [],
    selectedVariant: raw.selectedVariant ?? null,
    path: raw.path === '' ? null : raw.path,
    deviceIdentifier: raw.deviceIdentifier,
  };
}

/** A resident from LM Studio's listing, with its load configuration and activity where they were read. */
export function toResident(
  raw: RawInstanceInfo,
  fields: readonly RawConfigField[] | null,
  state: RawProcessingState | null,
): ResidentInstance {
  const { loadConfig, keepModelInMemory } = fromWireLoadConfig(raw.type, fields ?? []);
  return {
    instanceIdentifier: raw.identifier,
    modelKey: raw.modelKey,
    kind: raw.type,
    displayName: raw.displayName,
    path: raw.path === '' ? null : raw.path,
    sizeBytes: raw.sizeBytes,
    contextLengthTokens: raw.contextLength,
    maxContextLengthTokens: raw.maxContextLength,
    ttlMs: raw.ttlMs,
    lastUsedAtMs: raw.lastUsedTime,
    deviceIdentifier: raw.deviceIdentifier,
    activity: state === null ? null : (ACTIVITIES[state.status] ?? null),
    queued: state === null ? null : state.queued,
    // `contextLength` is the allocated length; the stored configuration has the requested one.
    loadConfig: { ...loadConfig, contextLengthTokens: raw.contextLength },
    keepModelInMemory,
  };
}

/** The format in lower case; LM Studio's `safetensors` becomes `mlx`. */
export function toFormat(format: string): string {
  const lower = format.toLowerCase();
  return lower === 'safetensors' || lower === 'mlx_placeholder' ? 'mlx' : lower;
}

const ACTIVITIES: Readonly<Record<string, InstanceActivity>> = {
  idle: 'idle',
  processingPrompt: 'processing-prompt',
  generating: 'generating',
  computingEmbedding: 'computing-embedding',
};
