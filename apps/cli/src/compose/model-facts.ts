import type { ScannedModel } from '@mai/lmstudio-adapter';
import type { GgufHeader } from '@mai/memory-estimator';

/** What LM Studio would say about a model, told from the header of its file. */
export interface HeaderFacts {
  readonly architecture: string | null;
  readonly name: string | null;
  readonly sizeLabel: string | null;
  readonly contextLengthTokens: number | null;
  readonly embedding: boolean;
  readonly toolUse: boolean;
  /** False: the weights are not all there. */
  readonly complete: boolean;
}

export function headerFacts({ architecture, metadata, complete }: GgufHeader): HeaderFacts {
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
    embedding: metadata.has(`${prefix}.pooling_type`),
    // Templates that take tools name them; there is no other sign of it in a file.
    toolUse: /\btools\b/.test(text('tokenizer.chat_template') ?? ''),
    complete,
  };
}

/** A model on disk with what its header says. */
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
