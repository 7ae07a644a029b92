import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import type { EstimateReport, ReportedDevice } from '../estimate/estimate-report.js';
import type { MemoryParts } from '../memory/memory-parts.js';
import { resolveSettings } from '../profile/choose-settings.js';
import { reportedSettings, type EstimateSettings } from '../settings/estimate-settings.js';
import { estimateMlx, MLX_ENVIRONMENT, type MlxEnvironment } from './estimate-mlx.js';
import type { MlxModel } from './read-mlx-model.js';

/**
 * Estimates an MLX model in the form of `estimateReport`, on a machine with at most one GPU. Settings that mlx-engine
 * does not have (batches, flash attention, cache types, layers on the GPU) change nothing.
 *
 * @param environment Default: a machine without a GPU. `settings.gpuBackend` replaces the GPUs of the environment.
 */
export function mlxReport(
  model: MlxModel,
  settings: EstimateSettings,
  environment: MlxEnvironment = MLX_ENVIRONMENT,
): EstimateReport {
  const gpuBackend = settings.gpuBackend ?? environment.gpuBackend;
  const gpus = gpuBackend === 'none' ? [] : [{ deviceKey: 'gpu:0', availableBytes: null }];
  const { contextLengthTokens, parallelSequences } = settings;
  const estimate = estimateMlx(
    model,
    { ...DEFAULT_LOAD_CONFIG, contextLengthTokens, parallelSequences },
    { ...environment, gpuBackend, gpus },
  );
  const { parts, ram } = estimate;
  const resolved = {
    ...resolveSettings(settings, environment.profile),
    contextLengthTokens: estimate.contextLengthTokens,
    parallelSequences: estimate.parallelSequences,
    gpuBackend,
    kvUnified: false,
  };
  return {
    architecture: model.architecture,
    loadConfig: reportedSettings(resolved, gpuBackend === 'none' ? 0 : (model.layers ?? 0) + 1),
    ram: { ...deviceOf(parts.ram, ram.anonymousBytes), repackBytes: 0, ...ram },
    gpus: parts.gpus.map((gpu, i) => deviceOf(gpu, estimate.gpus[i]?.bytes ?? 0)),
    totalBytes: estimate.totalBytes,
    interval: estimate.interval,
    source: estimate.source,
    confidence: estimate.confidence,
    exactParts: estimate.exactParts,
    partIntervals: null,
    growth: estimate.growth,
    profile: null,
  };
}

function deviceOf(parts: MemoryParts, totalBytes: number): ReportedDevice {
  const { weightsBytes, kvCacheBytes, recurrentStateBytes, computeBytes, outputBytes } = parts;
  return {
    weightsBytes,
    kvCacheBytes,
    recurrentStateBytes,
    computeBytes,
    outputBytes,
    totalBytes,
  };
}
