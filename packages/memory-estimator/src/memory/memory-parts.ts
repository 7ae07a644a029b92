/** The memory of a load on one device, by purpose, in bytes. */
export interface MemoryParts {
  readonly weightsBytes: number;
  /** A second copy of some weights, in the layout of the CPU's kernels; always 0 on a GPU. */
  readonly repackBytes: number;
  readonly kvCacheBytes: number;
  readonly recurrentStateBytes: number;
  readonly computeBytes: number;
  readonly outputBytes: number;
  /** The file that turns pictures into embeddings (mmproj). */
  readonly visionProjectorBytes: number;
  /** The compute buffer of the projector's encoder, which is reserved at the load. */
  readonly visionEncoderBytes: number;
  /** Memory for drafting tokens: the weights of the draft model or of the file's draft layers, and their context. */
  readonly draftBytes: number;
  /**
   * The engine's own memory for the model: its vocabulary, threads and HTTP server. 0 for an engine where it is not
   * known; the interval of the total then covers it.
   */
  readonly engineBytes: number;
}

export type PartName = 'weights' | 'repack' | 'kvCache' | 'recurrentState' | 'compute' | 'output';

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
  engineBytes: 0,
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
    parts.draftBytes +
    parts.engineBytes
  );
}
