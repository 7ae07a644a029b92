import type { ScannedModel } from '@mai/lmstudio-adapter';
import type { GgufHeader } from '@mai/memory-estimator';

/** Longer texts are not in a cached header; what follows from them must not depend on the cache. */
const KEPT_TEXT_LENGTH = 1024;

/** What LM Studio would say about a model on disk, told from its header instead. */
export function withHeaderFacts(model: ScannedModel, header: GgufHeader): ScannedModel {
  const { architecture, metadata } = header;
  const prefix = architecture ?? '';
  const embedding = metadata.has(`${prefix}.pooling_type`) || model.kind === 'embedding';
  const contextLength = metadata.get(`${prefix}.context_length`);
  const template = metadata.get('tokenizer.chat_template');
  const name = metadata.get('general.name');
  const size = metadata.get('general.size_label');
  return {
    ...model,
    architecture,
    kind: embedding ? 'embedding' : 'llm',
    displayName: typeof name === 'string' && name !== '' ? name : model.displayName,
    parameters: typeof size === 'string' && size !== '' ? size : model.parameters,
    maxContextLengthTokens: typeof contextLength === 'number' ? contextLength : null,
    // Templates that take tools name them; there is no other sign of it in a file.
    toolUse:
      typeof template === 'string' &&
      template.length <= KEPT_TEXT_LENGTH &&
      /\btools\b/.test(template),
  };
}
