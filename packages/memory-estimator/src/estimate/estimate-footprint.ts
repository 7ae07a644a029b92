import type { Confidence, LoadConfig } from '@mai/memory-ledger';
import { indexModel, type ModelIndex } from '../architecture/model-index.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { checkFigures } from '../settings/check-figures.js';
import {
  MAX_TOKENS,
  resolveSettings,
  type EstimateSettings,
  type ResolvedSettings,
} from '../settings/estimate-settings.js';
import { CPU_ENVIRONMENT, type EstimateEnvironment } from './environment.js';
import { sumParts, type FootprintEstimate, type MemoryParts } from './footprint-estimate.js';
import { estimateInterval } from './interval.js';
import { modelMemory, type ModelMemory } from './model-memory.js';
import { layersOfRatio } from './offload.js';
import { refusals } from './refusals.js';

/** The settings of a load of a model in an environment. */
export interface LoadPlan {
  readonly settings: ResolvedSettings;
  readonly cpuExpertLayers: number;
  readonly environment: EstimateEnvironment;
}

/**
 * Estimates what a model takes when it is loaded with a configuration: bytes of RAM (mapped and anonymous)
 * and of each GPU, with the parts, an interval and a confidence.
 *
 * Weights, KV cache, recurrent state and output buffer are exact for llama.cpp v0.5.0. Compute buffers are
 * computed as llama.cpp does: by building the graph and packing its tensors.
 *
 * @param loadConfig `null` takes LM Studio's default. A context of more than 2^30 tokens counts as 2^30.
 * @param environment Default: a machine without a GPU.
 * @throws RangeError for a figure that no load can have: a context of 0, a ratio that is NaN.
 */
export function estimateFootprint(
  header: GgufHeader,
  loadConfig: LoadConfig,
  environment: EstimateEnvironment = CPU_ENVIRONMENT,
): FootprintEstimate {
  const index = indexModel(header);
  return estimatePlan(index, planLoad(index, loadConfig, environment));
}

/**
 * The settings of a load.
 *
 * @throws RangeError for a figure that no load can have.
 */
export function planLoad(
  index: ModelIndex,
  loadConfig: LoadConfig,
  environment: EstimateEnvironment,
): LoadPlan {
  const layers = index.model?.layersInFile ?? 0;
  const hasGpu = environment.gpus.length > 0 && environment.gpuBackend !== 'none';
  const { offloadRatio, cpuExpertRatio } = loadConfig;
  for (const [name, ratio] of Object.entries({ offloadRatio, cpuExpertRatio }))
    if (Number.isNaN(ratio)) throw new RangeError(`${name} must be a number from 0 to 1.`);
  const settings: EstimateSettings = {
    contextLengthTokens: Math.min(
      loadConfig.contextLengthTokens ?? defaultContext(index),
      MAX_TOKENS,
    ),
    kvCacheTypeK: loadConfig.kvCacheTypeK,
    kvCacheTypeV: loadConfig.kvCacheTypeV,
    flashAttention: loadConfig.flashAttention,
    batchTokens: environment.batchTokens,
    ubatchTokens: environment.ubatchTokens,
    parallelSequences: loadConfig.parallelSequences,
    kvUnified: environment.kvUnified,
    swaFull: environment.swaFull,
    gpuLayers: hasGpu ? layersOfRatio(offloadRatio ?? 1, layers) : 0,
    gpuBackend: hasGpu ? environment.gpuBackend : 'none',
    cpu: environment.cpu,
  };
  const [problem] = checkFigures(settings);
  if (problem !== undefined) throw new RangeError(problem.message);
  return {
    settings: resolveSettings(settings),
    cpuExpertLayers: Math.round(Math.min(1, Math.max(0, cpuExpertRatio ?? 0)) * layers),
    environment: hasGpu ? environment : { ...environment, gpus: [], gpuBackend: 'none' },
  };
}

/**
 * The context that LM Studio loads a model with: 4096 tokens, or the model's maximum where that is less.
 */
export function defaultContext(index: ModelIndex): number {
  const { contextLengthTokens } = resolveSettings(NO_SETTINGS);
  return Math.min(contextLengthTokens, index.model?.trainedContext ?? contextLengthTokens);
}

/** Leaves every setting to LM Studio. */
export const NO_SETTINGS: EstimateSettings = {
  contextLengthTokens: null,
  kvCacheTypeK: null,
  kvCacheTypeV: null,
  flashAttention: null,
  batchTokens: null,
  ubatchTokens: null,
  parallelSequences: null,
  kvUnified: null,
  swaFull: null,
  gpuLayers: null,
  gpuBackend: null,
  cpu: null,
};

/** Estimates a plan. */
export function estimatePlan(index: ModelIndex, plan: LoadPlan): FootprintEstimate {
  return assemble(index, plan, memoryOfPlan(index, plan));
}

/** The memory of a plan by device. */
export function memoryOfPlan(index: ModelIndex, plan: LoadPlan): ModelMemory {
  return modelMemory(index, {
    settings: plan.settings,
    gpuWeights: gpuWeights(plan.environment),
    cpuExpertLayers: plan.cpuExpertLayers,
  });
}

/** Makes a footprint of the memory by device. */
export function assemble(
  index: ModelIndex,
  plan: LoadPlan,
  memory: ModelMemory,
): FootprintEstimate {
  const { settings, environment } = plan;
  const projector = environment.visionProjector?.tensorBytes ?? 0;
  const onGpu = projector > 0 && settings.gpuLayers > 0 && memory.gpus.length > 0;
  const withProjector = (parts: MemoryParts, here: boolean): MemoryParts =>
    here ? { ...parts, visionProjectorBytes: projector } : parts;
  const ram = withProjector(memory.ram, projector > 0 && !onGpu);
  const gpus = memory.gpus.map((parts, i) => ({
    ...withProjector(parts, onGpu && i === 0),
    deviceKey: environment.gpus[i]?.deviceKey ?? `gpu:${i}`,
  }));
  const ramBytes = sumParts(ram);
  const mappedBytes = environment.mapsWeights ? ram.weightsBytes : 0;
  const totalBytes = ramBytes + gpus.reduce((sum, gpu) => sum + sumParts(gpu), 0);
  const confidence = confidenceOf(index, settings, memory);
  return {
    ram: { mappedBytes, anonymousBytes: ramBytes - mappedBytes },
    gpus: gpus.map((gpu) => ({ deviceKey: gpu.deviceKey, bytes: sumParts(gpu) })),
    totalBytes,
    interval: estimateInterval({
      totalBytes,
      repackBytes: ram.repackBytes,
      computeBytes: ram.computeBytes,
      vocabulary: index.model?.vocabulary ?? 0,
      confidence,
      gpuBackend: settings.gpuBackend,
      gpuCount: gpus.length,
    }),
    source: 'gguf-header',
    confidence,
    parts: { ram, gpus },
    exactParts: memory.exactParts,
    settings: { ...settings, gpuLayers: Math.min(settings.gpuLayers, allLayers(index)) },
    refusal: refusals(index.model, settings)[0]?.message ?? null,
    notes: notesOf(index, settings, memory, projector),
  };
}

function allLayers(index: ModelIndex): number {
  return (index.model?.layersInFile ?? 0) + 1;
}

/** The GPUs' shares of the layers: their free memory, or the mean of the others where it is not known. */
function gpuWeights(environment: EstimateEnvironment): readonly number[] {
  const known = environment.gpus.flatMap(({ availableBytes }) => availableBytes ?? []);
  const mean = known.length > 0 ? known.reduce((sum, bytes) => sum + bytes, 0) / known.length : 1;
  return environment.gpus.map(({ availableBytes }) => availableBytes ?? mean);
}

function confidenceOf(
  index: ModelIndex,
  settings: ResolvedSettings,
  memory: ModelMemory,
): Confidence {
  const { model } = index;
  if (model === null || !model.architecture.known || memory.compute === 'rough') return 'low';
  if (!index.consistent || !index.allWeights) return 'low';
  if (memory.compute === 'guessed') return 'medium';
  // High confidence needs a comparison with llama.cpp. The corpus has no shared cache, and GPU compute
  // buffers only on Vulkan.
  return memory.gpus.length === 0 && !settings.kvUnified ? 'high' : 'medium';
}

function notesOf(
  index: ModelIndex,
  settings: ResolvedSettings,
  memory: ModelMemory,
  projector: number,
): string[] {
  const { header, model } = index;
  const notes: string[] = [];
  if (model === null)
    notes.push('The header does not describe its layers: only the weights are counted.');
  else if (!model.architecture.known)
    notes.push(
      `The architecture ${model.architecture.name || '(none)'} is unknown: its cache is counted as plain attention.`,
    );
  if (model !== null && memory.compute !== 'simulated')
    notes.push('The graph of this architecture is unknown: the compute buffers are approximate.');
  if (model !== null && !index.consistent)
    notes.push(
      'The metadata contradicts the tensors, so llama.cpp refuses to load the model: only the weights are certain.',
    );
  if (!index.allWeights)
    notes.push('Tensors are missing or of an unknown type: the weights may be larger.');
  if (!header.complete) notes.push('The file is incomplete: it cannot be loaded.');
  if (projector > 0) notes.push('The compute buffers of the vision projector are not counted.');
  const trained = model?.trainedContext ?? null;
  if (trained !== null && settings.contextLengthTokens > trained)
    notes.push(`The context is longer than the ${trained} tokens that the model was trained for.`);
  return notes;
}
