import { indexModel, type ModelIndex } from '../architecture/model-index.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import { checkFigures } from '../settings/check-figures.js';
import {
  MAX_TOKENS,
  resolveSettings,
  type EstimateSettings,
  type ResolvedSettings,
} from '../settings/estimate-settings.js';
import type { LoadConfig } from '../settings/load-config.js';
import { CPU_ENVIRONMENT, type EstimateEnvironment } from './environment.js';
import {
  sumParts,
  type Confidence,
  type FootprintEstimate,
  type MemoryParts,
} from './footprint.js';
import { estimateInterval } from './interval.js';
import { modelMemory, type ModelMemory } from './model-memory.js';
import { layersOfRatio } from './offload.js';
import { refusals } from './refusals.js';

/** One configuration of one model on one machine, ready to be worked out. */
export interface LoadPlan {
  readonly settings: ResolvedSettings;
  readonly cpuExpertLayers: number;
  readonly environment: EstimateEnvironment;
}

/**
 * What a model takes when loaded with a configuration: bytes of RAM (mapped and anonymous) and of each GPU,
 * with the parts, an interval and a confidence.
 *
 * Weights, KV cache, recurrent state and output buffer are exact for llama.cpp v0.5.0; compute buffers come
 * from the same packing of the same graph. Values that the configuration leaves null are LM Studio's.
 *
 * @throws RangeError for figures that no load could have: a context of 0, a ratio that is no number. A
 * context above 2^30 tokens counts as that.
 */
export function estimateFootprint(
  header: GgufHeader,
  loadConfig: LoadConfig,
  environment: EstimateEnvironment = CPU_ENVIRONMENT,
): FootprintEstimate {
  const index = indexModel(header);
  return estimatePlan(index, planLoad(index, loadConfig, environment));
}

/** The settings that a load configuration means for a model on a machine. */
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

/** LM Studio opens a model with 4096 tokens, or with all that it allows if that is less. */
export function defaultContext(index: ModelIndex): number {
  const { contextLengthTokens } = resolveSettings(NO_SETTINGS);
  return Math.min(contextLengthTokens, index.model?.trainedContext ?? contextLengthTokens);
}

/** Settings that leave everything to LM Studio. */
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

/** Works out a plan. */
export function estimatePlan(index: ModelIndex, plan: LoadPlan): FootprintEstimate {
  return assemble(index, plan, memoryOfPlan(index, plan));
}

/** The parts of a plan by device. */
export function memoryOfPlan(index: ModelIndex, plan: LoadPlan): ModelMemory {
  return modelMemory(index, {
    settings: plan.settings,
    gpuWeights: gpuWeights(plan.environment),
    cpuExpertLayers: plan.cpuExpertLayers,
  });
}

/** Puts parts together into a footprint. */
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

/** Layers are shared out by free memory; a GPU that hides it counts like the others' mean. */
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
  // A cache that sequences share is not in the corpus, and of GPUs' buffers only Vulkan's were compared.
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
    notes.push('The header says nothing sensible about its layers: only the weights are counted.');
  else if (!model.architecture.known)
    notes.push(
      `The architecture ${model.architecture.name || '(none)'} is not known: its cache is counted as plain attention.`,
    );
  if (model !== null && memory.compute !== 'simulated')
    notes.push('The graph of this architecture is not known: its compute buffers are approximate.');
  if (model !== null && !index.consistent)
    notes.push(
      'The metadata contradicts the tensors, so that llama.cpp would refuse to load the model: only the weights are sure.',
    );
  if (!index.allWeights)
    notes.push('Not every tensor of the model is described in full: its weights are larger.');
  if (!header.complete)
    notes.push('The file is incomplete: its weights cannot be loaded as they are.');
  if (projector > 0) notes.push('The vision projector is counted without its compute buffers.');
  const trained = model?.trainedContext ?? null;
  if (trained !== null && settings.contextLengthTokens > trained)
    notes.push(`The context is longer than the ${trained} tokens that the model was trained for.`);
  return notes;
}
