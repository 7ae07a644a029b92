import type { DownloadedModel, InstanceActivity, ResidentInstance } from './model-types.js';
import type {
  RawConfigField,
  RawInstanceInfo,
  RawModelInfo,
  RawProcessingState,
} from '../wire/wire.js';
import { fromWireLoadConfig } from '../load/load-config-wire.js';

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
    // The instance's own figure is what the engine really allocated; the stored one was the wish.
    loadConfig: { ...loadConfig, contextLengthTokens: raw.contextLength },
    keepModelInMemory,
  };
}

/** LM Studio calls MLX folders `safetensors`; everyone else says MLX. */
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
