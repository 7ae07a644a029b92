import type { GgufHeader } from '../gguf/gguf-header.js';
import type { CpuKind, GpuBackend } from '../settings/estimate-settings.js';

/** The machine and the engine that a model is to be loaded on. */
export interface EstimateEnvironment {
  readonly gpuBackend: GpuBackend;
  /** In LM Studio's order. Layers are shared out by what is free; null counts like the others' mean. */
  readonly gpus: readonly { readonly deviceKey: string; readonly availableBytes: number | null }[];
  readonly cpu: CpuKind;
  /** Engine settings outside of the load configuration; null takes LM Studio's default. */
  readonly batchTokens: number | null;
  readonly ubatchTokens: number | null;
  readonly kvUnified: boolean | null;
  readonly swaFull: boolean | null;
  /** False where weights are read or locked into memory rather than mapped; they are anonymous then. */
  readonly mapsWeights: boolean;
  /** The header of the vision projector (mmproj) that is loaded with the model, or null. */
  readonly visionProjector: GgufHeader | null;
}

/** A machine without a GPU that runs LM Studio with its defaults. */
export const CPU_ENVIRONMENT: EstimateEnvironment = {
  gpuBackend: 'none',
  gpus: [],
  cpu: 'auto',
  batchTokens: null,
  ubatchTokens: null,
  kvUnified: null,
  swaFull: null,
  mapsWeights: true,
  visionProjector: null,
};
