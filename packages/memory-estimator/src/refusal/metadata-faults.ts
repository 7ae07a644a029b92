import {
  keyLengthOf,
  valueLengthOf,
  type Hyperparameters,
} from '../architecture/hyperparameters.js';
import type { ModelIndex } from '../architecture/model-index.js';
import type { TensorGroups } from '../architecture/tensor-groups.js';
import type { GgufTensor } from '../gguf/gguf-header.js';
import type { ModelRefusal } from './refuse-model.js';

/** Keys after the architecture's name that llama.cpp requires of each model (load_hparams in llama-model.cpp). */
const REQUIRED_KEYS = ['context_length', 'embedding_length', 'block_count'] as const;

/** LLAMA_MAX_LAYERS and LLAMA_MAX_EXPERTS. */
const MAX_LAYERS = 512;
const MAX_EXPERTS = 1024;

/** Architectures that rotate whole keys, so that `rope.dimension_count` is the length of a key. */
const ROTATES_WHOLE_KEYS = new Set(['llama', 'deci', 'falcon', 'llama-embed']);

/** A fault in the metadata for which llama.cpp refuses the model; `null` without one. */
export function findMetadataFault(index: ModelIndex): ModelRefusal | null {
  return (
    findMissingKey(index) ??
    findWrongFigure(index) ??
    findWrongVocabulary(index) ??
    findWrongWidth(index)
  );
}

function findMissingKey({ header, metadata }: ModelIndex): ModelRefusal | null {
  const { architecture } = header;
  if (architecture === null) return missing('general.architecture');
  for (const key of REQUIRED_KEYS)
    if (metadata.number(key) === null) return missing(`${architecture}.${key}`);
  return header.metadata.has('tokenizer.ggml.model') ? null : missing('tokenizer.ggml.model');
}

function findWrongFigure({ metadata, model }: ModelIndex): ModelRefusal | null {
  const layers = metadata.number('block_count') ?? 0;
  if (!(layers > 0 && layers <= MAX_LAYERS))
    return contradiction(`its block_count is ${layers}, and llama.cpp takes 1 to ${MAX_LAYERS}`);
  if ((metadata.number('nextn_predict_layers') ?? 0) > layers)
    return contradiction('its nextn_predict_layers is larger than its block_count');
  const experts = metadata.number('expert_count') ?? 0;
  const used = Math.max(0, ...(metadata.perLayer('expert_used_count', layers) ?? []));
  const ignored = experts <= 1 && /^hunyuan/.test(model?.architecture.name ?? '');
  if (experts > MAX_EXPERTS)
    return contradiction(`it has ${experts} experts, and llama.cpp takes ${MAX_EXPERTS}`);
  if (!ignored && (used > experts || (experts > 0 && used === 0)))
    return contradiction(`it uses ${used} of ${experts} experts for each token`);
  const rotated = metadata.number('rope.dimension_count');
  if (
    model !== null &&
    rotated !== null &&
    model.keyLength > 0 &&
    rotated !== model.keyLength &&
    ROTATES_WHOLE_KEYS.has(model.architecture.name)
  )
    return contradiction(
      `its rope.dimension_count is ${rotated}, and its keys have ${model.keyLength} values`,
    );
  return model === null ? contradiction('its figures are those of no possible model') : null;
}

/** The rows of the token embeddings must be as many as the vocabulary has tokens. */
function findWrongVocabulary({ header, metadata, shared }: ModelIndex): ModelRefusal | null {
  const none = /^(none|no_vocab)$/.test(String(header.metadata.get('tokenizer.ggml.model')));
  const tokens = none
    ? metadata.number('vocab_size')
    : metadata.arrayLength('tokenizer.ggml.tokens');
  // A header that was cut out of a file may leave its vocabulary out.
  if (tokens === null && !none && header.complete) return missing('tokenizer.ggml.tokens');
  const rows = shared.get('token_embd')?.weight?.shape[1] ?? null;
  return tokens === null || rows === null || rows === tokens
    ? null
    : contradiction(`its vocabulary has ${tokens} tokens, and its token embeddings have ${rows}`);
}

function findWrongWidth({ model, consistent, layers }: ModelIndex): ModelRefusal | null {
  // How the metadata gives the widths differs by architecture.
  if (model?.architecture.known !== true) return null;
  if (!consistent)
    return contradiction('the widths in its metadata differ from those of its tensors');
  for (const [il, tensors] of layers.slice(0, model.layers).entries()) {
    const wrong = wrongAttention(model, tensors, il) ?? wrongExperts(model, tensors);
    if (wrong !== null)
      return contradiction(`the shape of ${wrong.name} differs from what its metadata states`);
  }
  return null;
}

function wrongAttention(
  model: Hyperparameters,
  tensors: TensorGroups,
  il: number,
): GgufTensor | null {
  if (model.attention[il] !== true || model.architecture.latentAttention) return null;
  const heads = model.heads[il] ?? 0;
  const queries = heads * keyLengthOf(model, il);
  const values = heads * valueLengthOf(model, il);
  const query = tensors.get('attn_q')?.weight ?? null;
  // Some architectures keep a gate beside each query, and some take the model's width for granted.
  const queryRows = [queries, 2 * queries, model.embedding];
  if (query !== null && !queryRows.includes(query.shape[1] ?? 1)) return query;
  const output = tensors.get('attn_output')?.weight ?? null;
  return output !== null && ![values, queries, model.embedding].includes(output.shape[0] ?? 1)
    ? output
    : null;
}

function wrongExperts({ experts }: Hyperparameters, tensors: TensorGroups): GgufTensor | null {
  const weight = tensors.get('ffn_down_exps')?.weight ?? null;
  return weight !== null && (weight.shape[2] ?? 1) !== experts ? weight : null;
}

function missing(key: string): ModelRefusal {
  return {
    code: 'METADATA_MISSING',
    reason: `its metadata lacks ${key}, without which llama.cpp refuses it`,
  };
}

function contradiction(what: string): ModelRefusal {
  return { code: 'METADATA_CONTRADICTORY', reason: `${what}, so llama.cpp refuses it` };
}
