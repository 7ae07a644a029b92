import {
  ALL_LAYERS,
  type EngineSettings,
  type EstimateSettings,
} from '../settings/estimate-settings.js';
import {
  type EngineProfile,
  type ProfileSetting,
  type ProfileValues,
} from '../profile/engine-profile.js';
import {
  batchOf,
  flashAttentionFor,
  kvCacheOffloadFor,
  refusesFlashAttention,
} from './dependent-defaults.js';
import { LLAMA_CPP_PROFILE } from '../profile/llama-cpp-profile.js';
import {
  haveSameCells,
  isUsed,
  mayPinFlashAttention,
  mayRepack,
  takeTheSame,
  type LoadFacts,
} from './used-settings.js';

/** A setting that the load does not give, and its value in the engine's profile. */
export interface SettingFromProfile {
  readonly setting: keyof ProfileValues;
  readonly value: string | number | boolean;
  readonly isKnown: boolean;
  /** Other values that the engine may have; empty where the value is known. */
  readonly alternatives: readonly (string | number | boolean)[];
  readonly source: string;
}

/** A setting as a report names it. */
export function settingFromProfile(
  setting: keyof ProfileValues,
  { value, alternatives, source }: ProfileSetting<string | number | boolean>,
): SettingFromProfile {
  return { setting, value, isKnown: alternatives.length === 0, alternatives, source };
}

/**
 * The settings of a load at both ends. For each unknown setting, `low` has the value that takes the least memory,
 * and `high` the value that takes the most.
 */
export interface SettingEnds {
  readonly low: EngineSettings;
  readonly high: EngineSettings;
}

/** The settings of a load. */
export interface ChosenSettings {
  /** The known settings, and the likeliest values of unknown settings. */
  readonly settings: EngineSettings;
  readonly ends: SettingEnds;
  /** For each end: whether `settings` takes the same memory as this end. */
  readonly equalsEnd: { readonly low: boolean; readonly high: boolean };
  /** Whether every setting that this load uses is known. If so, both ends take the same memory. */
  readonly isCertain: boolean;
  /** Settings without an effect on this load are left out. */
  readonly fromProfile: readonly SettingFromProfile[];
}

/** A setting's likeliest value, and the values that take the least and the most memory. */
interface Choice<T> {
  readonly value: T;
  readonly low: T;
  readonly high: T;
}

type End = keyof Choice<unknown>;

const size = (value: number) => value;
/** A batch as long as the context is the largest, and a batch as set is usually the smallest. */
const rankOfEmbeddingBatch = (batch: EngineSettings['embeddingBatch']) =>
  batch === 'context' ? Infinity : batch === 'as-set' ? 0 : batch;
/** Newer kernels repack more types. */
const rankOfKernels = (kernels: EngineSettings['cpuKernels']) =>
  kernels === 'none' ? 0 : kernels.endsWith('-2025') ? 1 : 2;
const rankOfPadding = (padding: EngineSettings['cellPadding']) =>
  padding === 'none' ? 0 : padding === 'by-attention' ? 1 : 2;
const isOn = (value: boolean) => Number(value);
const isOff = (value: boolean) => Number(!value);
const isCache = (cells: EngineSettings['checkpointCells']) => Number(cells === 'cache');
/** Ranks values that take the same memory. */
const any = () => 0;

/** Takes every given setting, and the engine's defaults for all other settings. */
export function chooseSettings(
  profile: EngineProfile,
  given: EstimateSettings,
  facts: LoadFacts,
): ChosenSettings {
  const defaults = profile.settings;
  const fromProfile: SettingFromProfile[] = [];
  /** @param rank Orders the values by the memory that they take. */
  const choose = <T extends string | number | boolean>(
    key: keyof ProfileValues,
    asked: T | null,
    rank: (value: T) => number,
    setting: ProfileSetting<T>,
  ): Choice<T> => {
    if (asked !== null) return { value: asked, low: asked, high: asked };
    fromProfile.push(settingFromProfile(key, setting));
    const { value, alternatives } = setting;
    let low = value;
    let high = value;
    for (const other of alternatives) {
      if (rank(other) < rank(low)) low = other;
      if (rank(other) > rank(high)) high = other;
    }
    return { value, low, high };
  };
  const tokensOf = (context: ProfileValues['contextLengthTokens']) =>
    defaultContext(context, facts.model?.trainedContext ?? null);
  const context = choose(
    'contextLengthTokens',
    given.contextLengthTokens,
    tokensOf,
    defaults.contextLengthTokens,
  );
  const keys = choose('kvCacheTypeK', given.kvCacheTypeK, any, defaults.kvCacheTypeK);
  const values = choose('kvCacheTypeV', given.kvCacheTypeV, any, defaults.kvCacheTypeV);
  const gpuBackend = given.gpuBackend ?? profile.backend ?? 'none';
  const gpuLayers = given.gpuLayers ?? (gpuBackend === 'none' ? 0 : ALL_LAYERS);
  const batch = batchOf(defaults, gpuLayers, facts.images);
  const attention = flashAttentionFor(values.value, defaults.flashAttention, facts.model);
  const askedAttention = refusesFlashAttention(facts.model) ? null : given.flashAttention;
  const chosen = {
    flashAttention: choose('flashAttention', askedAttention, isOff, attention),
    batchTokens: choose('batchTokens', given.batchTokens, any, batch.batchTokens),
    ubatchTokens: choose('ubatchTokens', given.ubatchTokens, size, batch.ubatchTokens),
    parallelSequences: choose(
      'parallelSequences',
      given.parallelSequences,
      size,
      defaults.parallelSequences,
    ),
    kvUnified: choose('kvUnified', given.kvUnified, isOff, defaults.kvUnified),
    swaFull: choose('swaFull', given.swaFull, isOn, defaults.swaFull),
    reservedLogits: choose(
      'reservedLogits',
      null,
      (it) => Number(it === 'micro-batch'),
      defaults.reservedLogits,
    ),
    outputLayer: choose('outputLayer', null, any, defaults.outputLayer),
    unifiedContext: choose(
      'unifiedContext',
      null,
      (it) => Number(it === 'each'),
      defaults.unifiedContext,
    ),
    cellPadding: choose('cellPadding', null, rankOfPadding, defaults.cellPadding),
    embeddingBatch: choose('embeddingBatch', null, rankOfEmbeddingBatch, defaults.embeddingBatch),
    embeddingLogits: choose('embeddingLogits', null, isOn, defaults.embeddingLogits),
    embeddingSequences: choose(
      'embeddingSequences',
      null,
      (it) => Number(it === 'as-set'),
      defaults.embeddingSequences,
    ),
    cpuKernels: choose('cpuKernels', null, rankOfKernels, defaults.cpuKernels),
    cachesLatentValues: choose('cachesLatentValues', null, isOn, defaults.cachesLatentValues),
    cachesNextToken: choose('cachesNextToken', null, isOn, defaults.cachesNextToken),
    castsMask: choose('castsMask', null, isOn, defaults.castsMask),
    offloadsKvCache: choose(
      'offloadsKvCache',
      null,
      isOn,
      kvCacheOffloadFor(profile, facts.isEmbedding),
    ),
    // The copy of the cache that an attention on the GPU needs is usually larger than what it saves the CPU.
    pinsFlashAttention: choose('pinsFlashAttention', null, isOff, defaults.pinsFlashAttention),
    locksWeights: choose('locksWeights', null, any, defaults.locksWeights),
    draftTokens: choose('draftTokens', null, size, defaults.draftTokens),
    encoderFlashAttention: choose(
      'encoderFlashAttention',
      null,
      isOff,
      defaults.encoderFlashAttention,
    ),
    promptCacheBytes: choose('promptCacheBytes', null, size, defaults.promptCacheBytes),
    contextCheckpoints: choose('contextCheckpoints', null, size, defaults.contextCheckpoints),
    checkpointCells: choose('checkpointCells', null, isCache, defaults.checkpointCells),
  };
  const at = (end: End): EngineSettings => ({
    // A given context may be longer than the model's maximum. A default is never longer.
    contextLengthTokens: given.contextLengthTokens ?? tokensOf(context[end]),
    kvCacheTypeK: keys[end],
    kvCacheTypeV: values[end],
    flashAttention: chosen.flashAttention[end],
    batchTokens: chosen.batchTokens[end],
    ubatchTokens: chosen.ubatchTokens[end],
    parallelSequences: chosen.parallelSequences[end],
    kvUnified: chosen.kvUnified[end],
    swaFull: chosen.swaFull[end],
    gpuLayers,
    gpuBackend,
    cpu: given.cpu ?? 'auto',
    reservedLogits: chosen.reservedLogits[end],
    outputLayer: chosen.outputLayer[end],
    unifiedContext: chosen.unifiedContext[end],
    cellPadding: chosen.cellPadding[end],
    embeddingBatch: chosen.embeddingBatch[end],
    cpuBatchTokens: defaults.cpuBatchTokens.value,
    embeddingLogits: chosen.embeddingLogits[end],
    embeddingSequences: chosen.embeddingSequences[end],
    cpuKernels: chosen.cpuKernels[end],
    cachesLatentValues: chosen.cachesLatentValues[end],
    cachesNextToken: chosen.cachesNextToken[end],
    castsMask: chosen.castsMask[end],
    offloadsKvCache: chosen.offloadsKvCache[end],
    pinsFlashAttention: chosen.pinsFlashAttention[end],
    locksWeights: chosen.locksWeights[end],
    draftTokens: facts.canDraft ? chosen.draftTokens[end] : 0,
    encoderFlashAttention: chosen.encoderFlashAttention[end],
    promptCacheBytes: chosen.promptCacheBytes[end],
    contextCheckpoints: chosen.contextCheckpoints[end],
    checkpointCells: chosen.checkpointCells[end],
    isEmbedding: facts.isEmbedding,
  });
  const [low, high] = [at('low'), at('high')];
  const settings = at('value');
  return {
    settings,
    ends: { low, high },
    equalsEnd: {
      low: takeTheSame(settings, low, facts),
      high: takeTheSame(settings, high, facts),
    },
    isCertain: takeTheSame(low, high, facts),
    // If the model is not known, all other settings may have an effect.
    fromProfile: fromProfile.filter(
      ({ setting }) =>
        (setting !== 'offloadsKvCache' || gpuLayers > 0) &&
        (setting !== 'pinsFlashAttention' || mayPinFlashAttention(low)) &&
        (facts.model === null ||
          (isUsed(setting, facts) &&
            (setting !== 'cpuKernels' || mayRepack(settings)) &&
            // Flash attention is on at the low end where it is not known.
            (setting !== 'castsMask' || low.flashAttention) &&
            (setting !== 'checkpointCells' || high.contextCheckpoints > 0) &&
            (setting !== 'cellPadding' || !haveSameCells(low, high, facts)))),
    ),
  };
}

/** The engine's likeliest defaults where a setting is not given, for any model. */
export function resolveSettings(
  given: EstimateSettings,
  profile: EngineProfile = LLAMA_CPP_PROFILE,
): EngineSettings {
  const facts = { model: null, isEmbedding: false, images: 'none' as const, canDraft: false };
  return chooseSettings(profile, given, facts).settings;
}

/**
 * A default context in tokens. It is never longer than the model's maximum.
 *
 * @param maxTokens The model's maximum; `null` where it is not known.
 */
export function defaultContext(
  context: ProfileValues['contextLengthTokens'],
  maxTokens: number | null,
): number {
  if (context !== 'maximum') return Math.min(context, maxTokens ?? context);
  // If the model does not state its maximum, the shortest default of any version is taken.
  return maxTokens ?? 4096;
}
