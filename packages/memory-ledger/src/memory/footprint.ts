/** The source of a footprint's figures, the most trusted first. */
export type FootprintSource =
  'measured' | 'lmstudio' | 'gguf-header' | 'safetensors-header' | 'file-size' | 'configured';

/** How far a footprint can be trusted. */
export type Confidence = 'high' | 'medium' | 'low';

/** The range that the total of a footprint lies in. */
export interface FootprintInterval {
  /** Probability that the true total lies in the range, 0 to 1. */
  readonly coverage: number;
  readonly lowBytes: number;
  readonly highBytes: number;
}

/** The most memory that a model may take after its load, beyond its footprint, in bytes. */
export interface FootprintGrowth {
  /** Anonymous memory in RAM, such as prompts that the engine keeps. */
  readonly ramBytes: number;
  readonly gpus: readonly { readonly deviceKey: string; readonly bytes: number }[];
  /** The part of this growth that the upper end of the footprint's interval already includes. Default 0. */
  readonly inUpperEndBytes?: number;
}

/** The memory that a model takes right after its load, in bytes, and its possible growth. */
export interface Footprint {
  readonly ram: {
    /** Memory-mapped weights. The OS can drop their pages, and Linux does not count these pages as used. */
    readonly mappedBytes: number;
    /** All other memory in RAM, locked weights included. */
    readonly anonymousBytes: number;
  };
  readonly gpus: readonly { readonly deviceKey: string; readonly bytes: number }[];
  /** The range of the total over RAM and all GPUs; `null` when the error is unknown. */
  readonly interval: FootprintInterval | null;
  /** Not part of the figures above; `null` when it is not known. */
  readonly growth: FootprintGrowth | null;
  readonly source: FootprintSource;
  readonly confidence: Confidence;
  /**
   * `true`: the model does not fit on its GPUs, so the runtime has divided it between GPU and RAM, and the figures here are a guess
   * at that division (`withinGpus`). Absent in every other footprint.
   */
  readonly exceedsGpus?: true;
}

/** The total of a footprint over RAM and all GPUs, in bytes. */
export function totalBytesOf(footprint: Pick<Footprint, 'ram' | 'gpus'>): number {
  return footprint.ram.mappedBytes + inexactBytesOf(footprint);
}

/** The bytes that an interval's margin is spread over: everything except the mapped weights. */
export function inexactBytesOf({ ram, gpus }: Pick<Footprint, 'ram' | 'gpus'>): number {
  return gpus.reduce((sum, { bytes }) => sum + bytes, ram.anonymousBytes);
}

/** The footprint with its weights locked in memory. Every OS counts locked weights as used. */
export function withLockedWeights(footprint: Footprint): Footprint {
  const { mappedBytes, anonymousBytes } = footprint.ram;
  return { ...footprint, ram: { mappedBytes: 0, anonymousBytes: mappedBytes + anonymousBytes } };
}
