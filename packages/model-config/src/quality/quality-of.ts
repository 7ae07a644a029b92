import { DEFAULT_LOAD_CONFIG, type Capability, type LoadConfig } from '@mai/memory-ledger';
import { comparableName, familyOf, familyOfArchitecture } from './comparable-name.js';
import { fullPrecisionQuality } from './full-precision-quality.js';
import type { ConfiguredQuality, NamedModel, QualityUse } from './model-facts.js';
import { parseParameterCounts } from './parameter-counts.js';
import { kvCacheLoss, quantizationLoss } from './quantization-loss.js';

/** Facts about a model and its file: a `ModelProfile`, and what the file's header adds. Unknown is `null`. */
export interface QualityFacts {
  readonly modelKey: string;
  readonly displayName: string | null;
  /** `general.base_model.*.name` of the header: the models that it was fine-tuned or merged from. Empty: not known. */
  readonly baseModels: readonly string[];
  /** `general.architecture` of a GGUF header, or `model_type` of an MLX model, such as `qwen3`. */
  readonly architecture: string | null;
  /** The number of all parameters, experts included, from the header. */
  readonly parameters: number | null;
  /** Parameters that one token uses, from the header. Equal to `parameters` without experts. */
  readonly activeParameters: number | null;
  /** The size in words, such as `30B-A3B`. It is read where `parameters` is `null`. */
  readonly sizeLabel: string | null;
  /** The type of most weights, such as `Q4_K_M` or `4bit`. */
  readonly quantization: string | null;
  /**
   * The name of a GGUF file, or the type in it. This type counts before `quantization`: the header of a file of several types states the type
   * of the most tensors, and these may be the small ones (mohitsoni48/TurboLLM #171: 14 (`Q4_K_S`) in `UD-IQ2_M`).
   */
  readonly fileName: string | null;
  readonly capabilities: readonly Capability[];
  /** Whether the file says that the model can think before it answers. Known for GGUF files with a chat template. */
  readonly reasoning: boolean | null;
  /** `ModelProfile.quality`: the user's own figures. */
  readonly quality: ConfiguredQuality | null;
}

/** How good the answers of a model are, and why. */
export interface ModelQuality {
  /**
   * From 0 to 1, after the losses. 0.5 is an average model of the published results. Figures of different
   * uses cannot be compared with each other.
   */
  readonly quality: number;
  /**
   * `configured`: the user's own figure. `published`: published results of this model. `derived`: a guess from
   * the size, the release date, thinking and the family of the model.
   */
  readonly source: 'configured' | 'published' | 'derived';
  /** Who published the results, and the date (`YYYY-MM-DD`). `null` unless `source` is `published`. */
  readonly published: { readonly by: string; readonly date: string } | null;
  /** The figure before the losses, 0 to 1. */
  readonly beforeLosses: number;
  /**
   * The share of the figure that the quantization of the weights costs, 0 to 1. `null`: the type is unknown, and
   * nothing was subtracted. 0 where `source` is `configured`, because that figure is about the user's file,
   * with a cache of 16 bits.
   */
  readonly quantizationLoss: number | null;
  /** The share of the figure that the type of the KV cache costs, 0 to 1. */
  readonly kvCacheLoss: number;
}

const ARTIFICIAL_ANALYSIS = { by: 'Artificial Analysis', date: '2026-07-10' };
const LM_ARENA = { by: 'LMArena', date: '2025-12-17' };

/**
 * How good the answers of a model are for a use, with a load configuration. The user's own figure counts first,
 * then published results, then a figure that is derived from other models.
 *
 * The context length has no influence, because published results do not depend on it while the text fits. The
 * requirement says how much context must fit. The place of layers and experts has no influence either, because a
 * GPU and a CPU compute the same answers.
 *
 * Formula and sources: bench/data/quality/README.md. The first call takes about 4 ms. Others take about 20
 * microseconds, or 0.1 ms for a derived figure.
 *
 * @param loadConfig - the types of the KV cache; `null` stands for 16 bits, the runtime's default. Default: 16 bits.
 * @returns `null` for embedding models, for `vision` where the model has no such capability, and where neither
 *   results nor the number of parameters are known.
 */
export function qualityOf(
  facts: QualityFacts,
  use: QualityUse,
  loadConfig: Pick<LoadConfig, 'kvCacheTypeK' | 'kvCacheTypeV'> = DEFAULT_LOAD_CONFIG,
): ModelQuality | null {
  if (facts.capabilities.includes('embedding')) return null;
  const model = namedModelOf(facts);
  const own = facts.quality?.[use] ?? null;
  const known =
    own === null
      ? fullPrecisionQuality(model, use)
      : ({ quality: own, source: 'configured' } as const);
  if (known === null) return null;
  const { quality: beforeLosses, source } = known;
  const quantized = {
    family: model.family,
    parameters: model.parameters,
    activeParameters: facts.activeParameters ?? parseParameterCounts(facts.sizeLabel).active,
  };
  const lossOf = (type: string | null): number | null =>
    type === null ? null : quantizationLoss(quantized, type);
  const ofWeights =
    source === 'configured' ? 0 : (lossOf(facts.fileName) ?? lossOf(facts.quantization));
  const ofCache = kvCacheLoss(quantized, {
    k: loadConfig.kvCacheTypeK ?? 'f16',
    v: loadConfig.kvCacheTypeV ?? 'f16',
  });
  const published = use === 'chat' ? LM_ARENA : ARTIFICIAL_ANALYSIS;
  return {
    quality: beforeLosses * (1 - (ofWeights ?? 0)) * (1 - ofCache),
    source,
    published: source === 'published' ? published : null,
    beforeLosses,
    quantizationLoss: ofWeights,
    kvCacheLoss: ofCache,
  };
}

/**
 * The use for which models with these capabilities are compared. The first of vision, coding, reasoning and
 * tools counts. All others are compared by `general`. Chat is one of them, because few models have results for chat.
 */
export function qualityUseOf(capabilities: readonly Capability[]): QualityUse {
  const uses = ['vision', 'coding', 'reasoning', 'tools'] as const;
  return uses.find((use) => capabilities.includes(use)) ?? 'general';
}

function namedModelOf(facts: QualityFacts): NamedModel {
  const { modelKey, displayName, baseModels, architecture, capabilities } = facts;
  const allNames = `${modelKey} ${displayName ?? ''}`;
  return {
    // A name with fewer words than the key may be that of another model: `Qwen3 4B` for `qwen3-4b-2507`.
    names:
      displayName !== null && isMoreSpecific(displayName, modelKey)
        ? [modelKey, displayName]
        : [modelKey],
    baseModels,
    family:
      familyOf(allNames) ?? familyOf(baseModels.join(' ')) ?? familyOfArchitecture(architecture),
    // Neither a header nor LM Studio states a date.
    releaseDate: null,
    architecture,
    parameters:
      facts.parameters ??
      parseParameterCounts(facts.sizeLabel).all ??
      parseParameterCounts(modelKey).all,
    reasoning: capabilities.includes('reasoning')
      ? 'both'
      : facts.reasoning === false
        ? false
        : null,
    vision: capabilities.includes('vision'),
  };
}

/** Whether a name has all words of a model key. */
function isMoreSpecific(name: string, modelKey: string): boolean {
  const words = new Set(comparableName(name).split(' '));
  return comparableName(modelKey)
    .split(' ')
    .every((word) => words.has(word));
}
