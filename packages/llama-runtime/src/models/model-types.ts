import type { ModelKind } from '../model-kind.js';

/** A model on this machine. */
export interface DownloadedModel {
  readonly modelKey: string;
  readonly kind: ModelKind;
  readonly displayName: string;
  readonly publisher: string | null;
  readonly architecture: string | null;
  /** `gguf`. */
  readonly format: string;
  readonly quantization: { readonly name: string; readonly bits: number | null } | null;
  /** Bytes on disk, all parts and the projector together. */
  readonly sizeBytes: number;
  /** Number of parameters as the file prints it, e.g. `7B`. */
  readonly parameters: string | null;
  readonly maxContextLengthTokens: number | null;
  /** Accepts images. */
  readonly vision: boolean;
  /** Trained for tool use: the chat template formats tools. */
  readonly toolUse: boolean;
  /** Can think before it answers, by its chat template. `null`: it has no template. */
  readonly reasoning: boolean | null;
  /** Always empty here: each file is a model of its own. */
  readonly variants: readonly string[];
  /** Always `null` here. */
  readonly selectedVariant: string | null;
  /** Path relative to its folder, with forward slashes. */
  readonly path: string | null;
  /** Always `null` here: this machine. */
  readonly deviceIdentifier: string | null;
}

/** A model with its files. */
export interface LocalModel extends DownloadedModel {
  /** Absolute paths of the GGUF files, with the parts of a split file in order. */
  readonly files: readonly string[];
  /** Absolute path of the projector for images; `null` without one. */
  readonly projectorFile: string | null;
}

/** A file that is not among the models. */
export interface LeftOutModel {
  readonly modelKey: string | null;
  readonly type: string | null;
  readonly reason: 'other-kind' | 'unreadable';
}

/** The models on this machine. */
export interface ModelListing {
  readonly models: readonly LocalModel[];
  readonly leftOut: readonly LeftOutModel[];
}
