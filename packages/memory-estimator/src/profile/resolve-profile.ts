import type { GpuBackend } from '../settings/estimate-settings.js';
import {
  known,
  type EngineProfile,
  type ProfileSetting,
  type ProfileValues,
} from './engine-profile.js';
import { embeddedProfile } from './embedded-profile.js';
import { LLAMA_CPP_PROFILE, llamaServerProfile } from './llama-cpp-profile.js';
import { lmStudioProfile } from './lmstudio-profile.js';
import { parseRuntimeName } from './runtime-version.js';

/** Names the engine and its version. */
export type EngineQuestion =
  | {
      readonly engine: 'llama.cpp';
      /**
       * `null` means llama.cpp v0.5.0 as a library, which the estimate was compared with. A build such as `b9849`
       * means the llama-server of this build.
       */
      readonly runtimeVersion?: string | null;
    }
  | {
      /** The embedded engine of this version of Mai. */
      readonly engine: 'embedded';
      /** The platform of the engine's build, such as `linux-x64`. Default: the platform of this process. */
      readonly platform?: string;
    }
  | {
      readonly engine: 'lmstudio';
      /**
       * The version of LM Studio's selected runtime (`2.28.2`), or its whole name
       * (`llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.28.2`). `null`: the newest known version.
       */
      readonly runtimeVersion: string | null;
      /** `null`: the back end in the runtime's name. */
      readonly backend: GpuBackend | null;
    };

/**
 * The defaults of an engine by version. A setting that is not known has all its possible values.
 *
 * @throws RangeError where the text is not a version of the engine. A version of LM Studio's app is not one.
 */
export function resolveEngineProfile(question: EngineQuestion): EngineProfile {
  if (question.engine === 'llama.cpp') {
    const build = question.runtimeVersion ?? null;
    return build === null ? LLAMA_CPP_PROFILE : llamaServerProfile(build);
  }
  if (question.engine === 'embedded') return embeddedProfile(question.platform);
  const { runtimeVersion, backend } = question;
  if (runtimeVersion === null) return lmStudioProfile(null, backend);
  const named = parseRuntimeName(runtimeVersion);
  return lmStudioProfile(named.version ?? runtimeVersion, backend ?? named.backend);
}

/**
 * A profile in which some settings are known from elsewhere: the load configuration of an instance, or
 * LM Studio's `settings.json`. A value that is `null` or left out changes nothing.
 *
 * @param source The origin of the values. Every estimate names it as the source of these settings.
 */
export function withKnownSettings(
  profile: EngineProfile,
  values: { readonly [K in keyof ProfileValues]?: ProfileValues[K] | null },
  source: string,
): EngineProfile {
  const { settings } = profile;
  const take = <K extends keyof ProfileValues>(key: K): ProfileSetting<ProfileValues[K]> => {
    const value = values[key] ?? null;
    return value === null ? settings[key] : known(value, source);
  };
  return {
    ...profile,
    settings: {
      contextLengthTokens: take('contextLengthTokens'),
      kvCacheTypeK: take('kvCacheTypeK'),
      kvCacheTypeV: take('kvCacheTypeV'),
      flashAttention: take('flashAttention'),
      batchTokens: take('batchTokens'),
      ubatchTokens: take('ubatchTokens'),
      parallelSequences: take('parallelSequences'),
      kvUnified: take('kvUnified'),
      swaFull: take('swaFull'),
      reservedLogits: take('reservedLogits'),
      outputLayer: take('outputLayer'),
      unifiedContext: take('unifiedContext'),
      cellPadding: take('cellPadding'),
      cpuBatchTokens: take('cpuBatchTokens'),
      embeddingBatch: take('embeddingBatch'),
      embeddingLogits: take('embeddingLogits'),
      embeddingSequences: take('embeddingSequences'),
      cpuKernels: take('cpuKernels'),
      cachesLatentValues: take('cachesLatentValues'),
      cachesNextToken: take('cachesNextToken'),
      castsMask: take('castsMask'),
      offloadsKvCache: take('offloadsKvCache'),
      pinsFlashAttention: take('pinsFlashAttention'),
      locksWeights: take('locksWeights'),
      draftTokens: take('draftTokens'),
      encoderFlashAttention: take('encoderFlashAttention'),
      promptCacheBytes: take('promptCacheBytes'),
      contextCheckpoints: take('contextCheckpoints'),
      checkpointCells: take('checkpointCells'),
    },
  };
}
