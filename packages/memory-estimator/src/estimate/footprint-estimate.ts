import type { Footprint } from '@mai/memory-ledger';
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
  readonly settings: ResolvedSettings;
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
};

export function sumParts(parts: MemoryParts): number {
  return (
    parts.weightsBytes +
    parts.repackBytes +
    parts.kvCacheBytes +
    parts.recurrentStateBytes +
    parts.computeBytes +
    parts.outputBytes +
    parts.visionProjectorBytes
  );
}
