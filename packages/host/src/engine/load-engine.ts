import { hasOwnMemory, type Resources } from '@mai/memory-ledger';
import type {
  EngineHardware,
  ResidentInstance,
  SelectedEngine,
  SurveyedGpu,
} from '@mai/lmstudio-adapter';
import type {
  EngineProfile,
  EstimateEnvironment,
  MlxEnvironment,
  MlxKvQuantization,
} from '@mai/memory-estimator';
import { environmentOf, mlxEnvironmentOf, withKnownSettings } from '@mai/memory-estimator';
import { gpusInSurvey } from '@mai/resource-monitor';

/** The engine that LM Studio loads GGUF models with, and its settings. */
export interface LoadEngine {
  /** The engine's defaults; the newest known defaults where LM Studio does not name the engine. */
  readonly profile: EngineProfile;
  /** The selected engine of each model format; empty where the selection is not known. */
  readonly selected: readonly SelectedEngine[];
  /**
   * Number of GPUs that the user has disabled. LM Studio names them by an index, and it is not known which GPU of the
   * system an index means.
   */
  readonly disabledGpus: number;
  /**
   * The GPUs that LM Studio's engine sees, by its survey of this machine. Null where there is no survey: while LM Studio is off,
   * where the survey failed, and for the embedded engine. The engine may then use every GPU.
   */
  readonly seenGpus: readonly SurveyedGpu[] | null;
  /** Whether the engine can put layers on a GPU. The embedded engine's build for the CPU cannot. */
  readonly usesGpus: boolean;
  /**
   * Whether its build for the CPU uses vector instructions; null where this is not known. llama.cpp reports it for the embedded engine.
   * LM Studio names the instructions in the name of each runtime, and needs AVX2 on x64.
   */
  readonly vectorInstructions: boolean | null;
  /** Its threads on the CPU; where they are not known, the number of processors of this machine. */
  readonly threads: number;
  /**
   * The user's hardware settings for the engine; null where the user has changed none, or where the engine is
   * not known.
   */
  readonly hardware: EngineHardware | null;
  /** How mlx-engine quantizes the KV cache; null where it does not, which is LM Studio's default. */
  readonly mlxKvCache: MlxKvQuantization | null;
}

/**
 * The environment of a load by LM Studio on a machine.
 *
 * GPUs that the engine does not see get no layers: LM Studio then runs the model on the CPU, or on its other GPUs
 * (lmstudio-bug-tracker #353 and #2176). The user's setting shows how many GPUs are disabled, but not which. The GPUs with the most free memory get no
 * layers, so that the estimate uses no memory that LM Studio may not use.
 */
export function environmentFor(
  { gpus, unified }: Pick<Resources, 'gpus' | 'unified'>,
  { profile, disabledGpus, usesGpus, selected, seenGpus }: LoadEngine,
): EstimateEnvironment {
  const usable = ofBuild(seenOf({ gpus, unified }, seenGpus), selected);
  const leftOut = [...usable]
    .filter((gpu) => unified || hasOwnMemory(gpu, { unified }))
    .sort((one, other) => (other.availableBytes ?? 0) - (one.availableBytes ?? 0))
    .slice(0, disabledGpus);
  const enabled = usesGpus ? usable.filter((gpu) => !leftOut.includes(gpu)) : [];
  return environmentOf({ gpus: enabled, unified }, profile);
}

/** The GPUs that the engine sees. On a unified machine, that is its one GPU, or none. */
function seenOf(
  { gpus, unified }: Pick<Resources, 'gpus' | 'unified'>,
  seen: LoadEngine['seenGpus'],
): Resources['gpus'] {
  if (seen === null) return gpus;
  if (unified) return seen.length === 0 ? [] : gpus;
  return gpusInSurvey(gpus, { gpus: seen });
}

/** The environment of a load of an MLX model by LM Studio on a machine. */
export function mlxEnvironmentFor(
  resources: Pick<Resources, 'gpus' | 'unified'>,
  { profile, selected, mlxKvCache }: LoadEngine,
): MlxEnvironment {
  const version = selected.find(({ format }) => format === 'mlx')?.version ?? null;
  return { ...mlxEnvironmentOf(resources, profile, version), kvQuantization: mlxKvCache };
}

/** The GPUs that the selected runtime was built for: a runtime for ROCm uses only the cards of AMD. */
function ofBuild(gpus: Resources['gpus'], selected: readonly SelectedEngine[]): Resources['gpus'] {
  const { name = '' } = selected.find(({ format }) => format === 'gguf') ?? {};
  return name.includes('rocm')
    ? gpus.filter(({ vendor }) => vendor === 'amd' || vendor === null)
    : gpus;
}

/** The engine with the settings that an instance was loaded with. */
export function engineOfInstance(engine: LoadEngine, instance: ResidentInstance): LoadEngine {
  const { settings, keepModelInMemory, loadConfig, contextLengthTokens } = instance;
  const { kvCacheTypeK, kvCacheTypeV, flashAttention, parallelSequences } = loadConfig;
  return {
    ...engine,
    mlxKvCache: toMlxKvQuantization(settings?.mlxKvCache ?? null),
    profile: withKnownSettings(
      engine.profile,
      {
        contextLengthTokens,
        kvCacheTypeK,
        kvCacheTypeV,
        flashAttention,
        parallelSequences,
        kvUnified: settings?.kvUnified ?? null,
        batchTokens: settings?.batchTokens ?? null,
        ubatchTokens: settings?.ubatchTokens ?? null,
        draftTokens: settings?.draftTokens ?? null,
        contextCheckpoints: settings?.contextCheckpoints ?? null,
        offloadsKvCache: settings?.offloadKvCacheToGpu ?? null,
        locksWeights: keepModelInMemory,
      },
      `the load configuration of ${instance.instanceIdentifier}`,
    ),
  };
}

/** Null also where a figure is missing, or is none that mlx-engine takes: the cache then counts with its full size. */
function toMlxKvQuantization(
  cache: NonNullable<ResidentInstance['settings']>['mlxKvCache'],
): MlxKvQuantization | null {
  const bits = MLX_BITS.find((one) => one === cache?.bits);
  const groupSize = MLX_GROUP_SIZES.find((one) => one === cache?.groupSize);
  const fromTokens = cache?.fromToken ?? null;
  if (bits === undefined || groupSize === undefined || fromTokens === null) return null;
  return fromTokens >= 0 ? { bits, groupSize, fromTokens } : null;
}

const MLX_BITS = [2, 3, 4, 6, 8] as const;
const MLX_GROUP_SIZES = [32, 64, 128] as const;
