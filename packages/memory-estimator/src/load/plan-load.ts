import type { LoadConfig } from '@mai/memory-ledger';
import type { ModelIndex } from '../architecture/model-index.js';
import { layersOfRatio } from '../parts/offload.js';
import { imageAttentionOf } from '../parts/image-attention.js';
import { chooseSettings, type ChosenSettings } from './choose-settings.js';
import { checkFigures } from '../settings/check-figures.js';
import { MAX_TOKENS, type EstimateSettings } from '../settings/estimate-settings.js';
import { usesGpu, type EstimateEnvironment } from './environment.js';

/** The settings of a load of a model in an environment. */
export interface LoadPlan extends ChosenSettings {
  readonly cpuExpertLayers: number;
  readonly environment: EstimateEnvironment;
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
  const hasGpu = usesGpu(environment);
  const { contextLengthTokens, offloadRatio, cpuExpertRatio } = loadConfig;
  checkRatios(loadConfig);
  const settings: EstimateSettings = {
    contextLengthTokens:
      contextLengthTokens === null ? null : Math.min(contextLengthTokens, MAX_TOKENS),
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
    ...chooseFor(index, settings, environment),
    cpuExpertLayers: Math.round(Math.min(1, Math.max(0, cpuExpertRatio ?? 0)) * layers),
    environment: hasGpu ? environment : { ...environment, gpus: [], gpuBackend: 'none' },
  };
}

/** @throws RangeError for a ratio that is NaN. A ratio below 0 counts as 0, and one above 1 as 1. */
export function checkRatios({ offloadRatio, cpuExpertRatio }: LoadConfig): void {
  for (const [name, ratio] of Object.entries({ offloadRatio, cpuExpertRatio }))
    if (Number.isNaN(ratio)) throw new RangeError(`${name} must be a number from 0 to 1.`);
}

/** Fills in the engine's defaults for a model. */
export function chooseFor(
  index: ModelIndex,
  settings: EstimateSettings,
  { profile, isEmbedding, visionProjector, draftModel }: EstimateEnvironment,
): ChosenSettings {
  return chooseSettings(profile, settings, {
    model: index.model,
    isEmbedding: isEmbedding ?? isEmbeddingModel(index),
    images: visionProjector === null ? 'none' : imageAttentionOf(visionProjector),
    canDraft: draftModel !== null || hasDraftLayers(index),
  });
}

/** Whether the header states how outputs are pooled into one vector, or the model has no cache. */
function isEmbeddingModel({ model, metadata }: ModelIndex): boolean {
  return model !== null && (!model.cached || (metadata.count('pooling_type') ?? 0) > 0);
}

/** Whether the file has layers that draft tokens (multi-token prediction, MTP). */
function hasDraftLayers({ model }: ModelIndex): boolean {
  return model !== null && model.layersInFile > model.layers;
}
