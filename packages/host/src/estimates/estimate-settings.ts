import type { LoadConfig } from '@mai/memory-ledger';
import type { EstimateSettings } from '@mai/memory-estimator';

/** LM Studio's default for every setting. */
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

/** The settings that a load configuration has, too, where they are given. */
export function changesOf(settings: EstimateSettings): Partial<LoadConfig> {
  const { contextLengthTokens, kvCacheTypeK, kvCacheTypeV } = settings;
  const { flashAttention, parallelSequences } = settings;
  return {
    ...(contextLengthTokens === null ? {} : { contextLengthTokens }),
    ...(kvCacheTypeK === null ? {} : { kvCacheTypeK }),
    ...(kvCacheTypeV === null ? {} : { kvCacheTypeV }),
    ...(flashAttention === null ? {} : { flashAttention }),
    ...(parallelSequences === null ? {} : { parallelSequences }),
  };
}

/** The settings with those of a load configuration filled in. */
export function settingsOf(
  settings: EstimateSettings,
  { contextLengthTokens, ...loadConfig }: LoadConfig,
  wantedTokens: number,
): EstimateSettings {
  const { kvCacheTypeK, kvCacheTypeV, flashAttention, parallelSequences } = loadConfig;
  return {
    ...settings,
    ...{ kvCacheTypeK, kvCacheTypeV, flashAttention, parallelSequences },
    contextLengthTokens: contextLengthTokens ?? wantedTokens,
  };
}

/**
 * Whether a setting is given that LM Studio can't load with. Measured loads in LM Studio then do
 * not apply.
 */
export function isHypothetical(settings: EstimateSettings): boolean {
  const { batchTokens, ubatchTokens, kvUnified, swaFull, gpuLayers, gpuBackend } = settings;
  return [batchTokens, ubatchTokens, kvUnified, swaFull, gpuLayers, gpuBackend].some(
    (value) => value !== null,
  );
}
