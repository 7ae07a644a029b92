import type { ScannedModel } from '@mai/lmstudio-adapter';
import type { ModelRefusal } from '@mai/memory-estimator';

/** Facts of a model's header. LM Studio lists the same facts while it runs. */
export interface HeaderFacts {
  readonly architecture: string | null;
  readonly name: string | null;
  /** The names of the models that it was fine-tuned or merged from. Empty: the header states none. */
  readonly baseModels: readonly string[];
  readonly sizeLabel: string | null;
  /** The longest context, at most 2^30 tokens; null where the header states no positive number. */
  readonly contextLengthTokens: number | null;
  readonly embedding: boolean;
  /** Whether it scores texts for a search. Neither LM Studio nor the embedded engine has reranking. */
  readonly reranker: boolean;
  readonly toolUse: boolean;
  /** Whether its chat template is that of a model that can think before it answers; null without a template. */
  readonly reasoning: boolean | null;
  /** False: the file lacks weights. */
  readonly complete: boolean;
  /** The number type of most weights, such as `Q4_K_M`; null where the header does not state a known one. */
  readonly quantization: string | null;
  /** Whether some of its feed-forward networks are experts. */
  readonly hasExperts: boolean;
  /** Numbers in the vectors that a model takes, or that a projector gives; null where they are not known. */
  readonly width: number | null;
  /** Why llama.cpp does not load the file; null where the header shows no reason. */
  readonly refusal: ModelRefusal | null;
  /** Why the embedded engine does not load a file that llama.cpp loads; null where it loads it. */
  readonly embeddedRefusal: ModelRefusal | null;
}

/**
 * Whether a name is that of a reranker. Most conversions of Qwen3-Reranker have the header of a chat model, so only the name
 * tells (tobi/qmd #721, gpustack/gguf-parser-go #14).
 */
export function isNamedReranker(name: string): boolean {
  return /rerank/i.test(name);
}

/** The quantization that a header states, in the form of a list of models. */
export function quantizationOf({ quantization }: HeaderFacts): ScannedModel['quantization'] {
  if (quantization === null) return null;
  return { name: quantization, bits: Number(/\d+/.exec(quantization)?.[0] ?? 0) || null };
}

/** A model on disk with the facts of its header. */
export function withHeaderFacts(model: ScannedModel, facts: HeaderFacts): ScannedModel {
  return {
    ...model,
    architecture: facts.architecture,
    kind: facts.embedding || model.kind === 'embedding' ? 'embedding' : 'llm',
    displayName: facts.name ?? model.displayName,
    parameters: facts.sizeLabel ?? model.parameters,
    maxContextLengthTokens: facts.contextLengthTokens,
    toolUse: facts.toolUse,
    reasoning: facts.reasoning,
  };
}
