import type { Footprint } from '@mai/memory-ledger';
import type { Growth } from '../parts/growth.js';
import type { SettingFromProfile } from '../profile/choose-settings.js';
import type { EngineProfile } from '../profile/engine-profile.js';
import type { ResolvedSettings } from '../settings/estimate-settings.js';

/** The memory of a load on one device, by purpose, in bytes. */
export interface MemoryParts {
  readonly weightsBytes: number;
  /** A second copy of weights in the layout of the CPU's kernels; always 0 on a GPU. */
  readonly repackBytes: number;
  readonly kvCacheBytes: number;
  readonly recurrentStateBytes: number;
  readonly computeBytes: number;
  readonly outputBytes: number;
  /** The file that turns pictures into embeddings (mmproj). */
  readonly visionProjectorBytes: number;
  /** The compute buffer of the projector's encoder, which is reserved at the load. */
  readonly visionEncoderBytes: number;
  /** Drafting of tokens: the weights of the draft model or of the file's draft layers, and their own context. */
  readonly draftBytes: number;
}

/** A range of bytes that a part lies in, over RAM and all GPUs. */
export interface ByteRange {
  readonly lowBytes: number;
  readonly highBytes: number;
}

export type PartIntervals = { readonly [K in keyof MemoryParts]: ByteRange };

/** The profile that an estimate used, and every setting that came from it. */
export interface UsedProfile extends Pick<
  EngineProfile,
  'engine' | 'runtimeVersion' | 'factsVersion' | 'backend'
> {
  /** The settings that were not given. */
  readonly settings: readonly SettingFromProfile[];
}

export type PartName = 'weights' | 'repack' | 'kvCache' | 'recurrentState' | 'compute' | 'output';

/** A footprint with its parts. */
export interface FootprintEstimate extends Footprint {
  /** RAM and all GPUs. */
  readonly totalBytes: number;
  readonly parts: {
    readonly ram: MemoryParts;
    readonly gpus: readonly (MemoryParts & { readonly deviceKey: string })[];
  };
  /** Parts that are exact to the byte for llama.cpp v0.5.0. The others are estimates. */
  readonly exactParts: readonly PartName[];
  /**
   * The range of each part over RAM and all GPUs. Both ends are equal for an exact part. The interval of the total
   * also covers the engine's own memory.
   */
  readonly partIntervals: PartIntervals;
  /** What the model may grow to after its load. It is not part of the total. */
  readonly growth: Growth;
  readonly settings: ResolvedSettings;
  readonly profile: UsedProfile;
  /** Why llama.cpp refuses this load, with any amount of memory; `null` where it does not refuse it. */
  readonly refusal: string | null;
  /** Sentences about what the figures leave out or assume. */
  readonly notes: readonly string[];
}

export const NO_PARTS: MemoryParts = {
  weightsBytes: 0,
  repackBytes: 0,
  kvCacheBytes: 0,
  recurrentStateBytes: 0,
  computeBytes: 0,
  outputBytes: 0,
  visionProjectorBytes: 0,
  visionEncoderBytes: 0,
  draftBytes: 0,
};

export function sumParts(parts: MemoryParts): number {
  return (
    parts.weightsBytes +
    parts.repackBytes +
    parts.kvCacheBytes +
    parts.recurrentStateBytes +
    parts.computeBytes +
    parts.outputBytes +
    parts.visionProjectorBytes +
    parts.visionEncoderBytes +
    parts.draftBytes
  );
}
