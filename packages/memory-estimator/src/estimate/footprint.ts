import type { ResolvedSettings } from '../settings/estimate-settings.js';

/** Where a figure comes from, the most trusted first. */
export type FootprintSource = 'measured' | 'lmstudio' | 'gguf-header' | 'file-size' | 'configured';

export type Confidence = 'high' | 'medium' | 'low';

/** Between which figures the truth lies, with what probability. */
export interface FootprintInterval {
  readonly coverage: number;
  readonly lowBytes: number;
  readonly highBytes: number;
}

/** What a model takes when it is resident. */
export interface Footprint {
  readonly ram: { readonly mappedBytes: number; readonly anonymousBytes: number };
  readonly gpus: readonly { readonly deviceKey: string; readonly bytes: number }[];
  /** Of the total: RAM, mapped and anonymous, and all GPUs. */
  readonly interval: FootprintInterval | null;
  readonly source: FootprintSource;
  readonly confidence: Confidence;
}

/** All that a footprint adds up to, in bytes. */
export function totalBytesOf({ ram, gpus }: Pick<Footprint, 'ram' | 'gpus'>): number {
  return ram.mappedBytes + ram.anonymousBytes + gpus.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** What memory goes to, on one device. */
export interface MemoryParts {
  readonly weightsBytes: number;
  /** A second copy of weights, laid out for the CPU's kernels; always 0 on a GPU. */
  readonly repackBytes: number;
  readonly kvCacheBytes: number;
  readonly recurrentStateBytes: number;
  readonly computeBytes: number;
  readonly outputBytes: number;
  /** The file that turns pictures into embeddings. */
  readonly visionProjectorBytes: number;
}

export type PartName = 'weights' | 'repack' | 'kvCache' | 'recurrentState' | 'compute' | 'output';

/** A footprint with the sum that it is made of. */
export interface FootprintEstimate extends Footprint {
  readonly totalBytes: number;
  readonly parts: {
    readonly ram: MemoryParts;
    readonly gpus: readonly (MemoryParts & { readonly deviceKey: string })[];
  };
  /** Parts that are exact to the byte for llama.cpp v0.5.0 rather than estimated. */
  readonly exactParts: readonly PartName[];
  readonly settings: ResolvedSettings;
  /** Why llama.cpp would not load it so, whatever memory there is; null where nothing stands in the way. */
  readonly refusal: string | null;
  /** What the figures leave out or rest on, in plain sentences. */
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
