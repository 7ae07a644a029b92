import type { Footprint } from '@mai/memory-ledger';
import type { Growth } from '../memory/growth.js';
import type { UsedProfile } from '../load/used-profile.js';
import type { MemoryParts, PartName } from '../memory/memory-parts.js';
import type { ResolvedSettings } from '../settings/estimate-settings.js';

/** The smallest and the largest size of a part, in bytes over RAM and all GPUs. */
export interface ByteRange {
  readonly lowBytes: number;
  readonly highBytes: number;
}

export type PartIntervals = { readonly [K in keyof MemoryParts]: ByteRange };

/** A footprint with its parts. */
export interface FootprintEstimate extends Footprint {
  /** RAM and all GPUs. */
  readonly totalBytes: number;
  readonly parts: {
    readonly ram: MemoryParts;
    readonly gpus: readonly (MemoryParts & { readonly deviceKey: string })[];
  };
  /** Parts that are exact to the byte for llama.cpp v0.5.0. The other parts are estimates. */
  readonly exactParts: readonly PartName[];
  /**
   * The range of each part over RAM and all GPUs. Both ends are equal for an exact part. The interval of the total
   * also covers the engine's own memory.
   */
  readonly partIntervals: PartIntervals;
  /** Memory that the model may take after its load. It is not part of the total. */
  readonly growth: Growth;
  readonly settings: ResolvedSettings;
  readonly profile: UsedProfile;
  /** Why llama.cpp refuses this load, with any amount of memory; `null` where llama.cpp accepts the load. */
  readonly refusal: string | null;
  /** Sentences about the omissions and assumptions of the figures. */
  readonly notes: readonly string[];
}
