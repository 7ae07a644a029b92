import { fromWireLoadConfig } from '../wire/load-config-wire.js';
import { tokenCount } from '../json-fields.js';
import type {
  RawConfigField,
  RawInstanceInfo,
  RawModelInfo,
  RawProcessingState,
} from '../wire/wire.js';
import { toFormat } from '../model-format.js';
import { toInstanceSettings } from './instance-settings.js';
import { filePathOf, identify, type KnownVariants } from './model-identity.js';
import type { DownloadedModel, InstanceActivity, ResidentInstance } from './model-types.js';

/** Converts an entry of LM Studio's list of downloaded models. */
export function toDownloadedModel(raw: RawModelInfo, path: string | null): DownloadedModel {
  return {
    modelKey: raw.modelKey,
    kind: raw.type,
    displayName: raw.displayName,
    publisher: raw.publisher,
    architecture: raw.architecture,
    format: toFormat(raw.format),
    quantization: raw.quantization,
    sizeBytes: raw.sizeBytes,
    parameters: raw.paramsString,
    maxContextLengthTokens: tokenCount(raw.maxContextLength),
    vision: raw.vision,
    toolUse: raw.trainedForToolUse,
    reasoning: null,
    variants: raw.variants,
    selectedVariant: raw.selectedVariant,
    path,
    deviceIdentifier: raw.deviceIdentifier,
  };
}

/**
 * Converts an entry of LM Studio's list of loaded models, with the load configuration and activity where they were
 * read.
 */
export function toResident(
  raw: RawInstanceInfo,
  fields: readonly RawConfigField[] | null,
  state: RawProcessingState | null,
  knownVariants: KnownVariants,
): ResidentInstance {
  const { loadConfig, keepModelInMemory } = fromWireLoadConfig(raw.type, fields ?? []);
  const contextLengthTokens = tokenCount(raw.contextLength);
  return {
    instanceIdentifier: raw.identifier,
    reference: raw.instanceReference,
    ...identify(raw, knownVariants),
    kind: raw.type,
    displayName: raw.displayName,
    path: filePathOf(raw),
    sizeBytes: raw.sizeBytes,
    contextLengthTokens,
    maxContextLengthTokens: tokenCount(raw.maxContextLength),
    ttlMs: raw.ttlMs,
    lastUsedAtMs: raw.lastUsedTime,
    deviceIdentifier: raw.deviceIdentifier,
    activity: state === null ? null : (ACTIVITIES[state.status] ?? null),
    queued: state === null ? null : state.queued,
    // `contextLength` is the allocated length. The stored configuration has the requested length.
    loadConfig: {
      ...loadConfig,
      contextLengthTokens: contextLengthTokens ?? tokenCount(loadConfig.contextLengthTokens),
    },
    keepModelInMemory,
    settings: fields === null ? null : toInstanceSettings(raw.type, toFormat(raw.format), fields),
  };
}

const ACTIVITIES: Readonly<Record<string, InstanceActivity>> = {
  idle: 'idle',
  processingPrompt: 'processing-prompt',
  generating: 'generating',
  computingEmbedding: 'computing-embedding',
};
