import {
  keyLengthOf,
  valueLengthOf,
  type Hyperparameters,
} from '../architecture/hyperparameters.js';
import { findArchitecture, readsNextToken } from '../architecture/architectures.js';
import type { ModelIndex } from '../architecture/model-index.js';
import type { TensorGroups } from '../architecture/tensor-groups.js';
import { printable } from '../gguf/bytes/checked-reader.js';
import type { GgufTensor } from '../gguf/gguf-header.js';
import { findWrongShape } from './tensors/shapes/shape-faults.js';
import { NEEDS_EXPERTS } from './tensors/plans/layer-plans.js';
import { findWrongType } from './metadata-types.js';
import { contradiction, missingKey } from './metadata-refusals.js';
import { findWrongLength } from './list-lengths.js';
import type { ModelRefusal } from './model-refusal.js';
import { findBadEpsilon, findMissingKey, findWrongPart } from './required-keys.js';
import { findVocabularyFault } from './vocabulary-faults.js';

/** LLAMA_MAX_LAYERS and LLAMA_MAX_EXPERTS. */
const MAX_LAYERS = 512;
const MAX_EXPERTS = 1024;

/** Architectures that rotate whole keys, so that `rope.dimension_count` is the length of a key. */
const ROTATES_WHOLE_KEYS = new Set(['llama', 'deci', 'falcon', 'llama-embed']);

/** Values of `rope.scaling.type` (LLAMA_ROPE_SCALING_TYPES in llama-model.cpp). llama.cpp aborts with any other. */
const ROPE_SCALINGS = new Set(['none', 'linear', 'yarn', 'longrope']);

/** Architectures whose `ffn_down` is not always as wide as `feed_forward_length` states. */
const OTHER_FEED_FORWARD = new Set(['arctic', 'gemma4', 'plamo3', 'qwen']);

/** A fault in the metadata for which llama.cpp refuses the model; `null` without a fault. */
export function findMetadataFault(index: ModelIndex): ModelRefusal | null {
  return (
    findWrongType(index.header) ??
    findMissingKey(index.header) ??
    findWrongLength(index.header) ??
    findWrongPart(index.header) ??
    findWrongFigure(index) ??
    findVocabularyFault(index) ??
    findWrongShape(index) ??
    findWrongWidth(index)
  );
}

function findWrongFigure(index: ModelIndex): ModelRefusal | null {
  const { header, metadata, model } = index;
  const epsilon = findBadEpsilon(header);
  if (epsilon !== null)
    return contradiction(`its ${printable(epsilon)} is negative or not a number`);
  const scaling = metadata.text('rope.scaling.type');
  if (scaling !== null && !ROPE_SCALINGS.has(scaling))
    return contradiction(
      `its rope.scaling.type is "${printable(scaling)}", but llama.cpp reads ${[...ROPE_SCALINGS].join(', ')}`,
    );
  const layers = metadata.number('block_count') ?? 0;
  if (!(layers > 0 && layers <= MAX_LAYERS))
    return contradiction(`its block_count is ${layers}, but llama.cpp accepts 1 to ${MAX_LAYERS}`);
  const reads = readsNextToken(findArchitecture(header.architecture));
  if (reads && (metadata.number('nextn_predict_layers') ?? 0) > layers)
    return contradiction('its nextn_predict_layers is larger than its block_count');
  const experts = metadata.number('expert_count') ?? 0;
  const used = Math.max(0, ...(metadata.perLayer('expert_used_count', layers) ?? []));
  const ignored = experts <= 1 && /^hunyuan/.test(model?.architecture.name ?? '');
  if (experts > MAX_EXPERTS)
    return contradiction(`it has ${experts} experts, but llama.cpp accepts at most ${MAX_EXPERTS}`);
  const [absent] = ['expert_count', 'expert_used_count'].filter((key) => !metadata.has(key));
  if (!ignored && absent !== undefined && (experts > 0 || hasExperts(index)))
    return missingKey(metadata.fullKey(absent));
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
      `its rope.dimension_count is ${rotated}, but its keys have ${model.keyLength} values`,
    );
  return model === null ? contradiction('its metadata has sizes that no model can have') : null;
}

function hasExperts({ layers }: ModelIndex): boolean {
  return layers.some((tensors) => tensors.has('ffn_down_exps'));
}

function findWrongWidth({ metadata, model, consistent, layers }: ModelIndex): ModelRefusal | null {
  // Other architectures may state their widths in other keys.
  if (model?.architecture.known !== true) return null;
  if (!consistent)
    return model.attention.includes(true) && !metadata.has('attention.head_count')
      ? missingKey(metadata.fullKey('attention.head_count'))
      : contradiction('its metadata contradicts the shapes of its tensors');
  const feedForward = metadata.perLayer('feed_forward_length', model.layersInFile) ?? [];
  for (const [il, tensors] of layers.slice(0, model.layers).entries()) {
    const wrong =
      wrongAttention(model, tensors, il) ??
      wrongFeedForward(model, tensors, feedForward[il] ?? 0) ??
      wrongExperts(model, tensors);
    if (wrong !== null) return contradiction(`its metadata contradicts the shape of ${wrong.name}`);
  }
  const hasRouter = layers.some((tensors) => tensors.has('ffn_gate_inp'));
  const isDense = model.layers <= (metadata.number('leading_dense_block_count') ?? 0);
  return model.experts > 1 && !hasRouter && !isDense && NEEDS_EXPERTS.has(model.architecture.name)
    ? contradiction(`its metadata states ${model.experts} experts, but it has no expert tensors`)
    : null;
}

function wrongAttention(
  model: Hyperparameters,
  tensors: TensorGroups,
  il: number,
): GgufTensor | null {
  const { architecture, embedding } = model;
  if (model.attention[il] !== true || architecture.latentAttention) return null;
  const heads = model.heads[il] ?? 0;
  const queries = heads * keyLengthOf(model, il);
  const values = heads * valueLengthOf(model, il);
  const rows = architecture.gatedQueries ? 2 * queries : queries;
  const query = tensors.get('attn_q')?.weight ?? null;
  if (query !== null && (query.shape[1] ?? 1) !== rows) return query;
  const output = tensors.get('attn_output')?.weight ?? null;
  return output !== null && ![values, queries, embedding].includes(output.shape[0] ?? 1)
    ? output
    : null;
}

function wrongFeedForward(
  { architecture }: Hyperparameters,
  tensors: TensorGroups,
  width: number,
): GgufTensor | null {
  if (OTHER_FEED_FORWARD.has(architecture.name)) return null;
  const weight = tensors.get('ffn_down')?.weight ?? null;
  return weight !== null && weight.shape[0] !== width ? weight : null;
}

function wrongExperts({ experts }: Hyperparameters, tensors: TensorGroups): GgufTensor | null {
  const weight = tensors.get('ffn_down_exps')?.weight ?? null;
  return weight !== null && (weight.shape[2] ?? 1) !== experts ? weight : null;
}
