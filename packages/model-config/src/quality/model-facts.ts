/** The uses for which a model has a figure of its own. `general` stands for no use in particular. */
export const QUALITY_USES = ['general', 'chat', 'coding', 'reasoning', 'tools', 'vision'] as const;

/** One of `QUALITY_USES`. */
export type QualityUse = (typeof QUALITY_USES)[number];

/** Facts by which a model is found in the published results, or from which its figure is derived. `null`: not known. */
export interface NamedModel {
  /** The names of the model, the most reliable first: model key, name on Hugging Face. */
  readonly names: readonly string[];
  /**
   * Names of the models that it was fine-tuned or merged from. Their results are not its own, so only the family and the
   * release date follow from them, each where `names` do not tell it.
   */
  readonly baseModels: readonly string[];
  /** A family of the published results, such as `Qwen3`; `null`: the family follows from the names, or from the base models. */
  readonly family: string | null;
  /**
   * `YYYY-MM-DD`; `null`: the month in one of `names` or `baseModels` (`2507`), else the date of the known model of the family with the most similar
   * name. Where neither `names` nor `baseModels` tell the family: the month of the first models with this architecture, else the median date of the
   * known models of the family, or of all of them for an unknown family.
   */
  readonly releaseDate: string | null;
  /** `general.architecture` of a GGUF file, or `model_type` of an MLX model. */
  readonly architecture: string | null;
  /** The number of all parameters, experts included. */
  readonly parameters: number | null;
  /** Whether the model thinks before it answers. `both`: it can do either. */
  readonly reasoning: boolean | 'both' | null;
  readonly vision: boolean | null;
}

/** The quality that a `models.yaml` states for each use, 0 to 1; `null`: not stated. */
export type ConfiguredQuality = Readonly<Record<QualityUse, number | null>>;

/** A model with published results. */
export interface KnownModel {
  /** The name in the published results, with the mode in brackets. */
  readonly name: string;
  /** The comparable names (`comparableName`) by which the model is found. The first is that of `name`. */
  readonly comparableNames: readonly string[];
  readonly family: string | null;
  /** `YYYY-MM-DD`. */
  readonly releaseDate: string;
  readonly billions: number;
  readonly reasoning: boolean;
  /** From 0 to 1, in the order of `QUALITY_USES`; `null`: too few results for this use. */
  readonly quality: readonly (number | null)[];
}

/** Everything that `tools/compute-model-quality.mjs` learns from the published results. */
export interface PublishedQuality {
  readonly models: readonly KnownModel[];
  /** For each use, the weights of `features` in derive-quality.ts. */
  readonly weights: Readonly<Record<QualityUse, readonly number[]>>;
}
