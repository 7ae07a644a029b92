import type { LoadConfig } from '@mai/memory-ledger';
import type { ModelKind } from '../wire/wire.js';
import type { InstanceSettings } from './instance-settings.js';

/** A model on disk, as LM Studio lists it. */
export interface DownloadedModel {
  readonly modelKey: string;
  readonly kind: ModelKind;
  readonly displayName: string;
  readonly publisher: string | null;
  readonly architecture: string | null;
  /** File format in lower case: `gguf`, `mlx`, ... */
  readonly format: string;
  readonly quantization: { readonly name: string; readonly bits: number | null } | null;
  /** Bytes on disk. 0 where an old LM Studio lists models without sizes. */
  readonly sizeBytes: number;
  /** Number of parameters as LM Studio prints it, e.g. `7B`. */
  readonly parameters: string | null;
  readonly maxContextLengthTokens: number | null;
  /** Accepts images. */
  readonly vision: boolean;
  /** Trained for tool use. */
  readonly toolUse: boolean;
  /** Can think before it answers. `null`: not known. LM Studio says it only in `/api/v1/models`. */
  readonly reasoning: boolean | null;
  /** Model keys of the variants (quantizations, formats), where there are several. */
  readonly variants: readonly string[];
  /** Key of the variant that LM Studio loads for `modelKey`. */
  readonly selectedVariant: string | null;
  /**
   * Path relative to the models folder, with forward slashes: the GGUF file or the MLX folder. For
   * a model with variants, the path of `selectedVariant`. `null`: LM Studio does not report it.
   */
  readonly path: string | null;
  /** The LM Link device that holds the model; `null`: the machine that LM Studio runs on. */
  readonly deviceIdentifier: string | null;
}

/** An entry of LM Studio's list that is not among the models. */
export interface LeftOutModel {
  /** `null`: the entry has no key. */
  readonly modelKey: string | null;
  /** LM Studio's name for the kind of the model, e.g. `imageGen`; `null`: the entry has no type. */
  readonly type: string | null;
  /** `other-kind`: neither an LLM nor an embedding model. `unreadable`: the entry lacks its key. */
  readonly reason: 'other-kind' | 'unreadable';
}

/** The downloaded models. */
export interface ModelListing {
  readonly models: readonly DownloadedModel[];
  /** The entries of LM Studio's list that were left out. */
  readonly leftOut: readonly LeftOutModel[];
}

/** The activity of an instance. */
export type InstanceActivity = 'idle' | 'processing-prompt' | 'generating' | 'computing-embedding';

/** One loaded copy of a model. */
export interface ResidentInstance {
  readonly instanceIdentifier: string;
  /** LM Studio's own name for this copy. No other copy gets this name. `null`: not reported. */
  readonly reference: string | null;
  /**
   * Key that loads this copy again: the model's key, or the variant's key where another variant is
   * selected.
   */
  readonly modelKey: string;
  /**
   * Key of the loaded variant, e.g. `qwen/qwen3-4b@q8_0`; `null`: the model has no variants, or LM
   * Studio does not report them.
   */
  readonly variant: string | null;
  readonly kind: ModelKind;
  readonly displayName: string;
  /** Path relative to the models folder, with forward slashes; `null`: not reported. */
  readonly path: string | null;
  readonly sizeBytes: number;
  /** The context length that the engine allocated. The requested length can differ. */
  readonly contextLengthTokens: number | null;
  readonly maxContextLengthTokens: number | null;
  /** Idle time after which LM Studio unloads the instance; `null`: never. */
  readonly ttlMs: number | null;
  /** Milliseconds since the epoch; `null`: never used, or unknown. */
  readonly lastUsedAtMs: number | null;
  /** The LM Link device of the instance; `null`: the machine that LM Studio runs on. */
  readonly deviceIdentifier: string | null;
  /** `null`: this LM Studio does not report it. */
  readonly activity: InstanceActivity | null;
  /** Requests that wait or run, the current one included; `null`: not reported. */
  readonly queued: number | null;
  /** The configuration that the instance runs with; `null` fields are not reported. */
  readonly loadConfig: LoadConfig;
  /** Whether the weights are locked in memory (mlock); `null`: not reported. */
  readonly keepModelInMemory: boolean | null;
  /** The other settings that the instance runs with; `null`: its load configuration was not read. */
  readonly settings: InstanceSettings | null;
}
