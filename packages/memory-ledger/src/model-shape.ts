/** The figures of a model file that decide how fast the model runs. */
export interface ModelShape {
  readonly parameters: number;
  /** Parameters that one token uses. Equal to `parameters` without experts. */
  readonly activeParameters: number;
  readonly layers: number;
  /** Bytes of all weights. */
  readonly weightBytes: number;
  /** Bytes of the weights that one token reads. */
  readonly activeWeightBytes: number;
  /** Bytes of all experts; 0 without experts. */
  readonly expertBytes: number;
  /** Bytes of the experts that one token reads; 0 without experts. */
  readonly activeExpertBytes: number;
  /** Bytes that one token adds to the KV cache with the cache type `f16`. */
  readonly kvBytesPerToken: number;
  /**
   * Query values that attention multiplies for each token of the context, over all layers that attend to the whole context: query
   * heads x the mean length of a key and a value. Null: not known.
   */
  readonly queryValuesPerToken: number | null;
}
