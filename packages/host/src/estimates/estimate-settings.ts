import type { LoadConfig } from '@mai/memory-ledger';
import type { EngineProfile, EstimateSettings, GgufHeader } from '@mai/memory-estimator';
import { checkEstimateSettings } from '@mai/memory-estimator';
import { HostError } from '../host-error.js';

/** The given settings that are also fields of a load configuration. */
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

/** The settings, with the values of a load configuration for the fields that both have. */
export function settingsOf(
  settings: EstimateSettings,
  { contextLengthTokens, ...loadConfig }: LoadConfig,
  wantedTokens: number,
): EstimateSettings {
  const { kvCacheTypeK, kvCacheTypeV, flashAttention, parallelSequences } = loadConfig;
  return {
    ...settings,
    kvCacheTypeK,
    kvCacheTypeV,
    flashAttention,
    parallelSequences,
    contextLengthTokens: contextLengthTokens ?? wantedTokens,
  };
}

/**
 * Whether the settings contain one that LM Studio cannot load with. Loads that were measured in LM Studio then
 * say nothing about the result.
 */
export function isHypothetical(settings: EstimateSettings): boolean {
  const { batchTokens, ubatchTokens, kvUnified, swaFull, gpuLayers, gpuBackend } = settings;
  return [batchTokens, ubatchTokens, kvUnified, swaFull, gpuLayers, gpuBackend].some(
    (value) => value !== null,
  );
}

/**
 * @param header - null: checks only what applies to every model
 * @param profile - the defaults of the engine
 * @throws HostError `INVALID_REQUEST` that names each setting which cannot be loaded
 */
export function refuseProblems(
  settings: EstimateSettings,
  header: GgufHeader | null,
  profile: EngineProfile,
): void {
  const problems = checkEstimateSettings(settings, header, profile);
  if (problems.length === 0) return;
  throw new HostError('INVALID_REQUEST', problems.map(({ message }) => message).join(' '));
}
