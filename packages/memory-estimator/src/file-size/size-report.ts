import { DEFAULT_LOAD_CONFIG, totalBytesOf } from '@mai/memory-ledger';
import { chooseSettings } from '../load/choose-settings.js';
import { kvCacheOffloadFor } from '../load/dependent-defaults.js';
import type { EngineProfile } from '../profile/engine-profile.js';
import { LLAMA_CPP_PROFILE } from '../profile/llama-cpp-profile.js';
import { usedProfile } from '../load/used-profile.js';
import { reportedSettings, type EstimateSettings } from '../settings/estimate-settings.js';
import {
  estimateFromFileSize,
  usualIntervals,
  usualParts,
  type FileSizeFacts,
} from './estimate-from-file-size.js';
import { CPU_ENVIRONMENT, gpusOfReport } from '../load/environment.js';
import type { EstimateReport, ReportedDevice } from '../estimate/estimate-report.js';

/** Without a header, every setting may have an effect. */
const UNKNOWN_MODEL = { model: null, isEmbedding: false, images: 'none' as const, canDraft: false };

const NOTHING: ReportedDevice = {
  weightsBytes: 0,
  kvCacheBytes: 0,
  recurrentStateBytes: 0,
  computeBytes: 0,
  outputBytes: 0,
  totalBytes: 0,
};

/**
 * Estimates a model from its size alone (MLX), in the form of `estimateReport`. No part is exact, and the
 * confidence is low. With a GPU, the whole model is on it, unless `gpuLayers` is 0.
 *
 * @param facts.layers Number of layers, which bounds the `gpuLayers` that are reported.
 * @param profile The defaults of the engine for settings that are not given. Default: those of llama.cpp.
 * @throws RangeError as `estimateFromFileSize` does.
 */
export function estimateReportFromFileSize(
  facts: FileSizeFacts & { readonly layers: number | null },
  settings: EstimateSettings,
  profile: EngineProfile = LLAMA_CPP_PROFILE,
): EstimateReport {
  const chosen = chooseSettings(profile, settings, UNKNOWN_MODEL);
  const resolved = chosen.settings;
  const { contextLengthTokens, parallelSequences, gpuBackend } = resolved;
  const gpuLayers = Math.min(resolved.gpuLayers, (facts.layers ?? Infinity) + 1);
  const loadConfig = reportedSettings(resolved, gpuLayers);
  const hasGpu = gpuBackend !== 'none';
  const onGpu = hasGpu && gpuLayers > 0;
  const footprint = estimateFromFileSize(
    facts,
    {
      ...DEFAULT_LOAD_CONFIG,
      contextLengthTokens,
      parallelSequences: facts.format === 'mlx' ? settings.parallelSequences : parallelSequences,
      offloadRatio: onGpu ? 1 : 0,
    },
    {
      ...CPU_ENVIRONMENT,
      profile,
      gpuBackend,
      gpus: gpusOfReport(gpuBackend),
    },
  );
  const totalBytes = totalBytesOf(footprint);
  const usual = usualParts(facts, contextLengthTokens);
  const { kvCacheBytes } = usual;
  const all = { ...NOTHING, ...usual, totalBytes };
  const { ram, interval, source, confidence, growth } = footprint;
  // mlx-engine does not have this setting.
  const splitsCache =
    onGpu &&
    facts.format !== 'mlx' &&
    !kvCacheOffloadFor(profile, facts.isEmbedding ?? false).value;
  const cacheAlone = { ...NOTHING, kvCacheBytes, totalBytes: kvCacheBytes };
  const withoutCache = { ...all, kvCacheBytes: 0, totalBytes: totalBytes - kvCacheBytes };
  return {
    architecture: facts.architecture,
    loadConfig,
    ram: { ...(splitsCache ? cacheAlone : onGpu ? NOTHING : all), repackBytes: 0, ...ram },
    gpus: hasGpu ? [splitsCache ? withoutCache : onGpu ? all : NOTHING] : [],
    totalBytes,
    interval,
    source,
    confidence,
    exactParts: [],
    partIntervals: usualIntervals(facts, contextLengthTokens),
    growth,
    profile: usedProfile(
      profile,
      chosen.fromProfile.filter(
        ({ setting }) =>
          Object.hasOwn(loadConfig, setting) || (setting === 'offloadsKvCache' && splitsCache),
      ),
    ),
  };
}
