import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { gpusOfReport } from '../load/environment.js';
import { reportOf, type EstimateReport } from '../estimate/estimate-report.js';
import {
  resolveSettings,
  settingFromProfile,
  type SettingFromProfile,
} from '../load/choose-settings.js';
import { known, type EngineProfile } from '../profile/engine-profile.js';
import { usedProfile } from '../load/used-profile.js';
import { reportedSettings, type EstimateSettings } from '../settings/estimate-settings.js';
import { estimateMlx, MLX_ENVIRONMENT, type MlxEnvironment } from './estimate-mlx.js';
import { MLX_SEQUENCES } from './fit-mlx-context.js';
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
  const { contextLengthTokens, parallelSequences } = settings;
  const estimate = estimateMlx(
    model,
    { ...DEFAULT_LOAD_CONFIG, contextLengthTokens, parallelSequences },
    { ...environment, gpuBackend, gpus: gpusOfReport(gpuBackend) },
  );
  const resolved = {
    ...resolveSettings(settings, environment.profile),
    contextLengthTokens: estimate.contextLengthTokens,
    parallelSequences: estimate.parallelSequences,
    gpuBackend,
    kvUnified: false,
  };
  return reportOf(estimate, {
    architecture: model.architecture,
    loadConfig: reportedSettings(resolved, gpuBackend === 'none' ? 0 : (model.layers ?? 0) + 1),
    partIntervals: estimate.partIntervals,
    profile: usedProfile(environment.profile, mlxDefaults(environment.profile, settings)),
  });
}

/** The settings that mlx-engine has and that were not given. */
function mlxDefaults(
  { settings: { contextLengthTokens } }: EngineProfile,
  given: EstimateSettings,
): readonly SettingFromProfile[] {
  const context = settingFromProfile('contextLengthTokens', contextLengthTokens);
  const sequences = settingFromProfile(
    'parallelSequences',
    known(MLX_SEQUENCES, 'mlx-engine, DEFAULT_MAX_SEQ_NUMS (August 2026)'),
  );
  return [
    ...(given.contextLengthTokens === null ? [context] : []),
    ...(given.parallelSequences === null ? [sequences] : []),
  ];
}
