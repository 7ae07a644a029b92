import type { KvCacheType, LoadConfig } from '@mai/memory-ledger';
import { slotsOf } from '../engine/context-options.js';
import { LlamaRuntimeError } from '../errors.js';
import { hasNonCausalImages, layersOf } from '../models/describe-model.js';
import type { LocalModel } from '../models/model-types.js';
import type { GgufMetadata } from '../machine/inspect-messages.js';
import type { EngineFacts, EngineSpec } from '../process/messages.js';
import { ENGINE_DEFAULTS } from './engine-defaults.js';
import type { NormalizedLoad } from './load-types.js';

/** Largest number of llama.cpp's type for positions, a signed integer of 32 bits (`llama_pos` in llama.h). */
const MOST_CELLS = 2 ** 31 - 1;
/** LLAMA_MAX_SEQ in llama-cparams.h. */
const MOST_SEQUENCES = 256;

/** Facts of the machine and of the file that a load depends on. */
export interface EngineConditions {
  readonly threads: number;
  readonly hasGpu: boolean;
  /** `null`: not read, because only a load with layers on a GPU needs it. */
  readonly metadata: GgufMetadata | null;
  /** `null`: the model has no projector, or llama.cpp cannot read it. */
  readonly projectorMetadata: GgufMetadata | null;
}

/** A load configuration with the engine's defaults. `null` where the engine decides, or has no such setting. */
export interface ResolvedLoadConfig extends LoadConfig {
  readonly contextLengthTokens: number;
  readonly parallelSequences: number;
  readonly offloadRatio: number;
  readonly kvCacheTypeK: KvCacheType;
  readonly kvCacheTypeV: KvCacheType;
}

/**
 * Fills in the engine's defaults. Without a GPU, all layers and all experts are on the CPU. A context above the model's
 * maximum becomes the maximum, as the selector counts it.
 */
export function resolveLoadConfig(
  asked: LoadConfig,
  model: Pick<LocalModel, 'maxContextLengthTokens'>,
  hasGpu: boolean,
): ResolvedLoadConfig {
  const longest = model.maxContextLengthTokens ?? Number.POSITIVE_INFINITY;
  return {
    contextLengthTokens: Math.min(
      longest,
      asked.contextLengthTokens ?? ENGINE_DEFAULTS.contextLengthTokens,
    ),
    parallelSequences: asked.parallelSequences ?? ENGINE_DEFAULTS.parallelSequences,
    offloadRatio: hasGpu ? (asked.offloadRatio ?? ENGINE_DEFAULTS.offloadRatio) : 0,
    kvCacheTypeK: asked.kvCacheTypeK ?? ENGINE_DEFAULTS.kvCacheTypeK,
    kvCacheTypeV: asked.kvCacheTypeV ?? ENGINE_DEFAULTS.kvCacheTypeV,
    flashAttention: asked.flashAttention ?? ENGINE_DEFAULTS.flashAttention,
    cpuExpertRatio: hasGpu ? (asked.cpuExpertRatio ?? ENGINE_DEFAULTS.cpuExpertRatio) : null,
  };
}

/** Every setting of the engine for a load. */
export function resolveSpec(
  load: NormalizedLoad,
  model: LocalModel,
  { threads, hasGpu, metadata, projectorMetadata }: EngineConditions,
  token: string,
): EngineSpec {
  const config = resolveLoadConfig(load.loadConfig, model, hasGpu);
  const { layers, expertLayers } = metadata === null ? NO_LAYERS : layersOf(metadata);
  const [file = ''] = model.files;
  return {
    file,
    projectorFile: model.projectorFile,
    nonCausalImages: projectorMetadata !== null && hasNonCausalImages(projectorMetadata),
    kind: load.kind ?? model.kind,
    modelKey: model.modelKey,
    instanceIdentifier: load.identifier,
    contextLengthTokens: config.contextLengthTokens,
    parallelSequences: config.parallelSequences,
    kvCacheTypeK: config.kvCacheTypeK,
    kvCacheTypeV: config.kvCacheTypeV,
    flashAttention: config.flashAttention,
    gpuLayers: gpuLayersOf(config.offloadRatio, layers ?? 0, hasGpu),
    cpuExpertLayers: Math.round((config.cpuExpertRatio ?? 0) * (expertLayers ?? 0)),
    locksWeights: load.keepModelInMemory ?? ENGINE_DEFAULTS.locksWeights,
    threads,
    token,
  };
}

/** @throws LlamaRuntimeError `LOAD_REFUSED` for more cells of the KV cache than llama.cpp can count. */
export function refuseTooManyCells(spec: EngineSpec): void {
  const { modelKey, contextLengthTokens } = spec;
  const cells = contextLengthTokens * slotsOf(spec);
  if (cells <= MOST_CELLS) return;
  throw refusal(
    modelKey,
    `contextLengthTokens is ${contextLengthTokens} for each of ${slotsOf(spec)} sequences, which is ${cells} tokens in all, but llama.cpp counts at most ${MOST_CELLS}`,
  );
}

const NO_LAYERS = { layers: 0, expertLayers: 0 };

/** A ratio of 1 includes the output layer, which llama.cpp counts as one more layer. */
function gpuLayersOf(ratio: number, layers: number, hasGpu: boolean): number {
  if (!hasGpu) return 0;
  return ratio >= 1 ? layers + 1 : Math.floor(ratio * layers);
}

/** The configuration that a loaded model runs with. */
export function actualLoadConfig(
  load: NormalizedLoad,
  model: LocalModel,
  hasGpu: boolean,
  { spec, facts }: { readonly spec: EngineSpec; readonly facts: EngineFacts },
): LoadConfig {
  const config = resolveLoadConfig(load.loadConfig, model, hasGpu);
  return {
    ...config,
    contextLengthTokens: facts.contextLengthTokens,
    parallelSequences: slotsOf(spec),
    flashAttention: facts.flashAttention ?? config.flashAttention,
  };
}

/** @throws LlamaRuntimeError `LOAD_REFUSED` for a request that the engine can never carry out. */
export function refuseImpossible({
  modelKey,
  loadConfig,
  ttlMs,
  deviceIdentifier,
}: NormalizedLoad): void {
  const problem =
    deviceIdentifier === null
      ? (wholeNumber('ttlMs', ttlMs) ??
        wholeNumber('contextLengthTokens', loadConfig.contextLengthTokens) ??
        wholeNumber('parallelSequences', loadConfig.parallelSequences) ??
        sequences(loadConfig.parallelSequences) ??
        ratio('offloadRatio', loadConfig.offloadRatio) ??
        ratio('cpuExpertRatio', loadConfig.cpuExpertRatio) ??
        cacheTypes(loadConfig))
      : `the embedded engine runs only on this machine, not on device ${deviceIdentifier}`;
  if (problem === null) return;
  throw refusal(modelKey, problem);
}

function refusal(modelKey: string, problem: string): LlamaRuntimeError {
  const message = `${modelKey} cannot be loaded like this: ${problem}.`;
  return new LlamaRuntimeError('LOAD_REFUSED', message, { modelKey });
}

function wholeNumber(name: string, value: number | null): string | null {
  const isValid = value === null || (Number.isSafeInteger(value) && value >= 1);
  return isValid ? null : `${name} is ${value}, but must be a whole number of at least 1`;
}

function sequences(value: number | null): string | null {
  return value === null || value <= MOST_SEQUENCES
    ? null
    : `parallelSequences is ${value}, but llama.cpp has at most ${MOST_SEQUENCES}`;
}

function ratio(name: string, value: number | null): string | null {
  const isValid = value === null || (value >= 0 && value <= 1);
  return isValid ? null : `${name} is ${value}, but must be between 0 and 1`;
}

/** The binding has no bf16 cache, and llama.cpp stores quantized values only with flash attention. */
function cacheTypes({ kvCacheTypeK, kvCacheTypeV, flashAttention }: LoadConfig): string | null {
  if (kvCacheTypeK === 'bf16' || kvCacheTypeV === 'bf16') {
    return 'the engine has no KV cache of type bf16; choose f16';
  }
  const isQuantized = kvCacheTypeV !== null && kvCacheTypeV !== 'f16' && kvCacheTypeV !== 'f32';
  return isQuantized && flashAttention === false
    ? `kvCacheTypeV is ${kvCacheTypeV}, which needs flash attention`
    : null;
}
