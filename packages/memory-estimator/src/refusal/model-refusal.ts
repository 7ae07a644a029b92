/** Why a GGUF file is not a language model that llama.cpp loads. The codes are part of the API. */
export type ModelRefusalCode =
  /** Statistics for quantization, as llama-imatrix writes them. */
  | 'IMPORTANCE_MATRIX'
  /** A LoRA adapter. */
  | 'ADAPTER'
  | 'CONTROL_VECTOR'
  /** Layers that draft tokens for another model: an MTP head, EAGLE-3, DFlash. */
  | 'DRAFT_HEAD'
  /** An encoder of pictures or sound for another model (mmproj). */
  | 'PROJECTOR'
  /** A vocabulary without weights. */
  | 'VOCABULARY'
  /** A model that makes or reads pictures or videos. */
  | 'PICTURE_MODEL'
  /** A model that makes or reads speech. */
  | 'SPEECH_MODEL'
  /** Nothing in the header describes a language model. */
  | 'NOT_A_LANGUAGE_MODEL'
  /** An architecture that only another engine has. */
  | 'ARCHITECTURE'
  /** A kind of tokenizer that llama.cpp does not have. */
  | 'TOKENIZER'
  /** A chat template that the engine cannot parse. */
  | 'CHAT_TEMPLATE'
  /** A tensor type that llama.cpp does not have, or no longer has. */
  | 'TENSOR_TYPE'
  /** Tensors that llama.cpp does not load for a language model, such as those of a vision encoder. */
  | 'LEFTOVER_TENSORS'
  | 'TENSORS_MISSING'
  | 'METADATA_MISSING'
  /** A key of another type than llama.cpp reads. */
  | 'METADATA_TYPE'
  /** Metadata and tensors do not agree. */
  | 'METADATA_CONTRADICTORY'
  | 'BYTE_ORDER';

/** Why llama.cpp refuses a file. */
export interface ModelRefusal {
  readonly code: ModelRefusalCode;
  /** A clause whose subject is the file: 'it is a LoRA adapter, not a model'. No period. */
  readonly reason: string;
}
