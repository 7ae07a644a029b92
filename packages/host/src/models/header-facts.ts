import type { ScannedModel } from '@mai/lmstudio-adapter';
import type { GgufHeader, ModelRefusal } from '@mai/memory-estimator';
import { refuseModel } from '@mai/memory-estimator';

/** Facts of a model's header. LM Studio lists the same facts while it runs. */
export interface HeaderFacts {
  readonly architecture: string | null;
  readonly name: string | null;
  readonly sizeLabel: string | null;
  readonly contextLengthTokens: number | null;
  readonly embedding: boolean;
  readonly toolUse: boolean;
  /** False: the file lacks weights. */
  readonly complete: boolean;
  /** Whether some of its feed-forward networks are experts. */
  readonly hasExperts: boolean;
  /** Why llama.cpp does not load the file; null where the header shows no reason. */
  readonly refusal: ModelRefusal | null;
}

/** Architectures that make embeddings, not text. */
const ENCODERS = /bert|embed|^t5encoder$/;

/** Reads the facts from a header. */
export function headerFacts(header: GgufHeader): HeaderFacts {
  const { architecture, metadata, complete } = header;
  const prefix = architecture ?? '';
  const text = (key: string) => {
    const value = metadata.get(key);
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const contextLength = metadata.get(`${prefix}.context_length`);
  return {
    architecture,
    name: text('general.name'),
    sizeLabel: text('general.size_label'),
    contextLengthTokens: typeof contextLength === 'number' ? contextLength : null,
    embedding: metadata.has(`${prefix}.pooling_type`) || ENCODERS.test(prefix),
    // A GGUF file has no field for tool use. Chat templates that support tools name them.
    toolUse: /\btools\b/.test(text('tokenizer.chat_template') ?? ''),
    complete,
    hasExperts: Number(metadata.get(`${prefix}.expert_count`) ?? 0) > 1,
    refusal: refuseModel(header),
  };
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
  };
}
