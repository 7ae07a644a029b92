/** The figures that determine a model's memory, besides the size of its weights. */
export interface WorldModelGeometry {
  /** Transformer blocks. */
  readonly layers: number;
  /** Heads of the KV cache in each layer. */
  readonly kvHeads: number;
  /** Length of a key and of a value. */
  readonly headDimension: number;
  /** Embedding length. */
  readonly hiddenSize: number;
  /** Tokens in the vocabulary. */
  readonly vocabularySize: number;
  /** Layers with sliding-window attention. */
  readonly slidingLayers: number;
  /** The window of these layers; 0 where there are none. */
  readonly slidingWindowTokens: number;
  /** Share of the weights that belong to experts, 0 to 1; 0 for a dense model. */
  readonly expertRatio: number;
  /** Heads of the attention in each layer. Without flash attention, they determine the compute buffer. */
  readonly attentionHeads: number;
  /** The bytes of one sequence's recurrent state; 0 for a model without recurrent layers. */
  readonly recurrentStateBytes: number;
}

/** One downloaded quantization of a model from LM Studio's hub. */
export interface WorldVariant {
  /** The part of the key after the `@`, such as `q4_k_m`. */
  readonly name: string;
  /** The size of the file. */
  readonly sizeBytes: number;
  /** The precision of the weights. */
  readonly quantization: { readonly name: string; readonly bits: number };
  /** The path of the file, or of the folder of an MLX model, in the folder of models. */
  readonly path: string;
}

/** A downloaded model. */
export interface WorldModel {
  /** Names the model. */
  readonly modelKey: string;
  /**
   * `llm` and `embedding` can be loaded. A model of another type, such as `tts`, is only listed, and SDK 2.0.0 then
   * refuses the whole list.
   */
  readonly type: string;
  /** The name that the app shows. */
  readonly displayName: string;
  /** The publisher of the files. */
  readonly publisher: string;
  /**
   * The path of the file in the folder of models. A model with `variants` does not use this path, because its
   * variants have paths of their own.
   */
  readonly path: string;
  /** The size of the weights, including the projector of a vision model. */
  readonly sizeBytes: number;
  /** The part of `sizeBytes` that is the projector. It is loaded on the GPU, where there is one. */
  readonly projectorBytes: number;
  /** The file format; `safetensors` is for MLX. */
  readonly format: 'gguf' | 'safetensors';
  /** `null`: not known, so LM Studio's estimate has low confidence. */
  readonly architecture: string | null;
  /** The number of parameters, such as `4B`; `null`: not known. */
  readonly paramsString: string | null;
  /** The precision of the weights. */
  readonly quantization: { readonly name: string; readonly bits: number } | null;
  /** The most tokens of context that the model allows. LM Studio reports 0 where it does not know them. */
  readonly maxContextLength: number;
  /** Whether the model accepts images. */
  readonly vision: boolean;
  /** Whether the model can call tools. */
  readonly trainedForToolUse: boolean;
  /**
   * The variants. The first variant is the selected one. A model with variants is from LM Studio's hub. LM Studio
   * then reports the model's key as `path` and `indexedModelIdentifier`, and names the files only in the list of
   * variants. Empty: the model is a file that was downloaded or copied without the hub.
   */
  readonly variants: readonly WorldVariant[];
  /** The figures that determine the model's memory. */
  readonly geometry: WorldModelGeometry;
  /** Tokens that the model generates, or embeds, in a second. */
  readonly tokensPerSecond: number;
}
