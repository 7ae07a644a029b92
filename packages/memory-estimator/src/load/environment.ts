import { hasOwnMemory, type GpuResources, type Resources } from '@mai/memory-ledger';
import type { GgufHeader } from '../gguf/gguf-header.js';
import type { EngineProfile } from '../profile/engine-profile.js';
import { LLAMA_CPP_PROFILE } from '../profile/llama-cpp-profile.js';
import type { CpuKind, GpuBackend } from '../settings/estimate-settings.js';

/** The machine and the engine that load a model. */
export interface EstimateEnvironment {
  /** The defaults of the engine, from `resolveEngineProfile`. */
  readonly profile: EngineProfile;
  readonly gpuBackend: GpuBackend;
  /**
   * The GPUs in LM Studio's order. Layers are spread in proportion to free memory. Unknown free memory (`null`)
   * counts as the mean of the other GPUs.
   */
  readonly gpus: readonly { readonly deviceKey: string; readonly availableBytes: number | null }[];
  readonly cpu: CpuKind;
  /** Engine settings outside of the load configuration; `null` takes the profile's default. */
  readonly batchTokens: number | null;
  readonly ubatchTokens: number | null;
  readonly kvUnified: boolean | null;
  readonly swaFull: boolean | null;
  /** `false` where weights are read or locked into memory rather than mapped. The weights are then anonymous. */
  readonly mapsWeights: boolean;
  /** The header of the vision projector (mmproj) that is loaded with the model; `null` without a projector. */
  readonly visionProjector: GgufHeader | null;
  /** Whether the model is loaded to compute embeddings; `null`: the header decides. */
  readonly isEmbedding: boolean | null;
  /** The header of a smaller model that drafts tokens for the model; `null` without a draft model. */
  readonly draftModel: GgufHeader | null;
}

/** A machine without a GPU, and llama.cpp. */
export const CPU_ENVIRONMENT: EstimateEnvironment = {
  profile: LLAMA_CPP_PROFILE,
  gpuBackend: 'none',
  gpus: [],
  cpu: 'auto',
  batchTokens: null,
  ubatchTokens: null,
  kvUnified: null,
  swaFull: null,
  mapsWeights: true,
  visionProjector: null,
  isEmbedding: null,
  draftModel: null,
};

/** Whether the engine uses a GPU. */
export function usesGpu({
  gpuBackend,
  gpus,
}: Pick<EstimateEnvironment, 'gpuBackend' | 'gpus'>): boolean {
  return gpuBackend !== 'none' && gpus.length > 0;
}

/** The GPUs of a report. A report is about a machine with at most one GPU. */
export function gpusOfReport(gpuBackend: GpuBackend): EstimateEnvironment['gpus'] {
  return gpuBackend === 'none' ? [] : [{ deviceKey: 'gpu:0', availableBytes: null }];
}

/**
 * The environment of a load by LM Studio on a machine: the GPUs that its engine uses, and their back end.
 *
 * On a unified machine, LM Studio uses the one GPU. On other machines, it uses all GPUs with their own memory. The
 * back end is Metal for an Apple GPU. If there is an NVIDIA GPU, the back end is CUDA, which uses only NVIDIA GPUs.
 * For other or unknown vendors, the back end is Metal on a unified machine and Vulkan on other machines.
 * If the profile names the engine's back end, that back end is taken: an engine for the CPU alone uses no GPU.
 *
 * @param profile The defaults of the engine. Default: those of llama.cpp.
 */
export function environmentOf(
  { gpus, unified }: Pick<Resources, 'gpus' | 'unified'>,
  profile: EngineProfile = LLAMA_CPP_PROFILE,
): EstimateEnvironment {
  const usable = unified ? gpus.slice(0, 1) : gpus.filter((gpu) => hasOwnMemory(gpu, { unified }));
  const gpuBackend = usable.length === 0 ? 'none' : (profile.backend ?? backendOf(usable, unified));
  const used = gpuBackend === 'none' ? [] : usedBy(gpuBackend, usable);
  return {
    ...CPU_ENVIRONMENT,
    profile,
    gpuBackend,
    // A single GPU gets all layers, so its free memory does not matter. Leaving it out lets the results for
    // one environment be cached.
    gpus: used.map(({ deviceKey, availableBytes }) => ({
      deviceKey,
      availableBytes: used.length > 1 ? availableBytes : null,
    })),
  };
}

/** CUDA uses only NVIDIA's GPUs. On a machine without NVIDIA's GPUs, the engine was built for AMD (ROCm). */
function usedBy(backend: GpuBackend, gpus: readonly GpuResources[]): readonly GpuResources[] {
  const ofNvidia = gpus.filter(({ vendor }) => vendor === 'nvidia');
  return backend === 'cuda' && ofNvidia.length > 0 ? ofNvidia : gpus;
}

function backendOf(gpus: readonly GpuResources[], unified: boolean): GpuBackend {
  const has = (vendor: GpuResources['vendor']) => gpus.some((gpu) => gpu.vendor === vendor);
  if (gpus.length === 0) return 'none';
  if (has('apple')) return 'metal';
  if (has('nvidia')) return 'cuda';
  return unified ? 'metal' : 'vulkan';
}
