import {
  keyLengthOf,
  keyWidthOf,
  valueWidthOf,
  type Hyperparameters,
} from '../../../architecture/hyperparameters.js';
import { distinctLayers, type ModelIndex } from '../../../architecture/model-index.js';
import type { TensorGroup, TensorGroups } from '../../../architecture/tensor-groups.js';
import type { GgufTensor } from '../../../gguf/gguf-header.js';
import { printable } from '../../../gguf/bytes/checked-reader.js';
import type { ModelRefusal } from '../../model-refusal.js';
import { wrongExperts, wrongLatent } from './expert-shapes.js';
import { isPlanned, QKV } from '../layer-faults.js';
import { layerPlanOf } from '../plans/layer-plans.js';
import { unlike } from './unlike.js';

/** Norms of a whole embedding. */
const NORMS =
  'attn_norm ffn_norm attn_norm_2 attn_output_norm layer_output_norm post_attention_norm post_ffw_norm'.split(
    ' ',
  );

/**
 * A tensor of another shape than llama.cpp expects; `null` without one. Each rule holds for every architecture with a plan: the
 * shapes that build 10257 of llama.cpp asked for were compared with it.
 */
export function findWrongShape(index: ModelIndex): ModelRefusal | null {
  const { model, shared, layers } = index;
  if (model === null || !isPlanned(model.architecture.name)) return null;
  const outside =
    wrongShared(model, index) ?? [...shared.values()].find(hasWrongBias)?.bias ?? null;
  if (outside !== null) return refusal(outside);
  for (const [il, tensors] of layers.slice(0, model.layers).entries()) {
    const isDistinct = index.patterns?.distinct.has(il) !== false;
    const wrong =
      (isDistinct ? (wrongInLayer(model, tensors) ?? wrongAttention(model, tensors, il)) : null) ??
      // The width of the experts that the metadata states for a layer does not count when layers are compared.
      wrongExperts(index, tensors, il) ??
      (isDistinct ? wrongLatent(index, tensors) : null);
    if (wrong !== null) return refusal(wrong);
  }
  const uneven = findUneven(index);
  return uneven === null ? null : refusal(uneven);
}

/** Parts that have the same shape in every layer that has them. */
const EVEN =
  /^(ssm_|altup_|laurel_|channel_mix_|time_mix_(?!v)|shortconv\.|hc_|vis_|inp_gate$|post_norm$|proj$|attn_gate$|attn_(q_a|q_b|k_b|v_b|kv_b|kv_a))/;
/** Architectures whose layers have different numbers of heads. */
const UNEVEN = new Set(['deci', 'step35']);

/** A tensor of another shape than the same tensor of an earlier layer. */
function findUneven(index: ModelIndex): GgufTensor | null {
  if (index.model === null || UNEVEN.has(index.model.architecture.name)) return null;
  const known = new Map<string, string>();
  for (const [, tensors] of distinctLayers(index))
    for (const [part, { weight }] of tensors) {
      if (weight === null || !EVEN.test(part)) continue;
      const shape = weight.shape.join();
      const earlier = known.get(part);
      if (earlier !== undefined && earlier !== shape) return weight;
      known.set(part, shape);
    }
  return null;
}

function wrongShared(model: Hyperparameters, { shared, metadata }: ModelIndex): GgufTensor | null {
  const { embedding, vocabulary } = model;
  return (
    unlike(shared, 'token_embd', [embedding, null]) ??
    unlike(shared, 'output_norm', [embedding]) ??
    unlike(shared, 'token_embd_norm', [embedding]) ??
    unlike(shared, 'output', [embedding, vocabulary]) ??
    unlike(shared, 'rope_freqs', [(metadata.number('rope.dimension_count') ?? model.keyLength) / 2])
  );
}

function wrongInLayer(
  { embedding, architecture }: Hyperparameters,
  tensors: TensorGroups,
): GgufTensor | null {
  const width = tensors.get('ffn_down')?.weight?.shape[0] ?? null;
  const up = tensors.get('ffn_up')?.weight?.shape[1] ?? null;
  // Without a separate gate, ffn_up may be one matrix that holds the gate and the values.
  const isFused =
    layerPlanOf(architecture.name)?.feedForward !== 'gated' && up === 2 * (width ?? 0);
  for (const name of NORMS) {
    const wrong = unlike(tensors, name, [embedding]);
    if (wrong !== null) return wrong;
  }
  for (const name of [...QKV, 'attn_qkv']) {
    const wrong = unlike(tensors, name, [embedding, null]);
    if (wrong !== null) return wrong;
  }
  return (
    unlike(tensors, 'attn_output', [null, embedding]) ??
    unlike(tensors, 'ffn_down', [null, embedding]) ??
    unlike(tensors, 'ffn_gate', [embedding, width]) ??
    unlike(tensors, 'ffn_up', [embedding, isFused ? null : width]) ??
    [...tensors.values()].find(hasWrongBias)?.bias ??
    null
  );
}

/**
 * Architectures that the estimator does not know, with one matrix each for queries, keys and values. The rows of other
 * architectures are compared with their metadata.
 */
const PLAIN_ATTENTION = new Set(['hy_v3', 'nanbeige']);

function wrongAttention(
  model: Hyperparameters,
  tensors: TensorGroups,
  il: number,
): GgufTensor | null {
  const { architecture, embedding, heads } = model;
  if (!PLAIN_ATTENTION.has(architecture.name)) return null;
  return (
    unlike(tensors, 'attn_q', [embedding, (heads[il] ?? 0) * keyLengthOf(model, il)]) ??
    unlike(tensors, 'attn_k', [embedding, keyWidthOf(model, il)]) ??
    unlike(tensors, 'attn_v', [embedding, valueWidthOf(model, il)])
  );
}

/** Whether a bias has another length than its matrix has rows. */
function hasWrongBias({ weight, bias }: TensorGroup): boolean {
  if (weight === null || bias === null || bias.shape.length > 1) return false;
  const rows = weight.shape.length === 1 ? weight.shape[0] : weight.shape[1];
  return weight.shape.length <= 2 && bias.shape[0] !== rows;
}

function refusal({ name, shape }: GgufTensor): ModelRefusal {
  return {
    code: 'METADATA_CONTRADICTORY',
    reason: `its tensor "${printable(name)}" has the shape ${shape.join(' × ')}, which does not fit its metadata`,
  };
}
