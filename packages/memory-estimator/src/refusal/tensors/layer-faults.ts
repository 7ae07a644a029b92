import { distinctLayers, type ModelIndex } from '../../architecture/model-index.js';
import type { TensorGroups } from '../../architecture/tensor-groups.js';
import { layerPlanOf, NEEDS_EXPERTS, type LayerPlan } from './plans/layer-plans.js';
import { mixedPlanOf } from './plans/mixed-plans.js';
import { fullName, hasPart, withoutScale } from './part-names.js';

export const QKV = ['attn_q', 'attn_k', 'attn_v'] as const;
/** Parts that nearly every decoder has. In a file without data, only these are expected to be there. */
const CORE = new Set(['qkv', 'attn_norm', 'attn_output', 'ffn_norm']);
const DENSE = ['ffn_gate', 'ffn_up', 'ffn_down'] as const;
const EXPERTS = ['ffn_gate_inp', 'ffn_gate_exps', 'ffn_up_exps', 'ffn_down_exps'] as const;
/** Parts that a file may hold in one tensor, ffn_gate_up_exps. */
const FUSED = new Set<string>(['ffn_gate_exps', 'ffn_up_exps']);
/** Parts of networks of experts. */
const OF_EXPERTS =
  /^ffn_(gate|up|down|gate_up)_(ch)?exps$|^ffn_(gate|up|down)_shexp$|^ffn_gate_inp(_shexp)?$/;

/** Whether it is known which tensors llama.cpp loads for an architecture. */
export function isPlanned(architecture: string): boolean {
  return layerPlanOf(architecture) !== null || mixedPlanOf(architecture) !== null;
}

/** A tensor that llama.cpp needs and the file lacks, by the plan of the architecture; `null` without one. */
export function findMissingPart(index: ModelIndex): string | null {
  const { header, model, shared, layers } = index;
  const plan = model === null ? null : layerPlanOf(model.architecture.name);
  if (model === null || plan === null) return null;
  if (header.hasData) {
    const missing = plan.shared.find((part) => !hasPart(shared, part));
    if (missing !== undefined) return fullName(missing, model.architecture.name);
  }
  const isJoined = layers.some((tensors) => tensors.has('attn_qkv'));
  const needsExperts = model.experts > 0 && NEEDS_EXPERTS.has(model.architecture.name);
  const wanted = header.hasData ? plan.layer : plan.layer.filter((part) => CORE.has(part));
  for (const [il, tensors] of distinctLayers(index)) {
    const missing =
      wanted.map((part) => missingIn(tensors, part, isJoined)).find((part) => part !== null) ??
      missingOfFeedForward(tensors, plan, needsExperts);
    if (missing !== null) return fullName(`blk.${il}.${missing}`, model.architecture.name);
  }
  return null;
}

function missingIn(tensors: TensorGroups, part: string, isJoined: boolean): string | null {
  if (part !== 'qkv') {
    // The biases of a network of experts are there where the network is.
    if (/_exps\.bias$|_inp\.bias$/.test(part) && !tensors.has('ffn_gate_inp')) return null;
    return hasPart(tensors, part) ? null : part;
  }
  if (hasPart(tensors, 'attn_qkv')) return null;
  if (isJoined) return 'attn_qkv';
  return QKV.find((name) => !hasPart(tensors, name)) ?? null;
}

function missingOfFeedForward(
  tensors: TensorGroups,
  { feedForward, gatedExperts }: LayerPlan,
  needsExperts: boolean,
): string | null {
  if (feedForward === 'none') return null;
  const has = (name: string): boolean => hasPart(tensors, name);
  if (needsExperts || ['ffn_up_exps', 'ffn_gate_up_exps', 'ffn_down_exps'].some(has))
    return (
      EXPERTS.find(
        (name) =>
          !has(name) &&
          !(FUSED.has(name) && has('ffn_gate_up_exps')) &&
          (gatedExperts || name !== 'ffn_gate_exps'),
      ) ?? null
    );
  return (
    DENSE.find((name) => (feedForward === 'gated' || name !== 'ffn_gate') && !has(name)) ?? null
  );
}

/** A tensor that llama.cpp does not load for the architecture; `null` without one. */
export function findForeignPart(index: ModelIndex): string | null {
  const { model, shared } = index;
  const plan = model === null ? null : layerPlanOf(model.architecture.name);
  if (model === null || plan === null) return null;
  const outside = new Set(['token_embd', 'output_norm', ...plan.shared, ...plan.optionalShared]);
  const decoder = plan.feedForward === 'none' ? [] : [...DENSE, 'attn_qkv', ...QKV];
  const inside = new Set([...plan.layer, ...plan.optionalInLayer, ...decoder]);
  const isForeign = (parts: ReadonlySet<string>, part: string): boolean =>
    !parts.has(withoutScale(part)) && !(model.experts > 0 && OF_EXPERTS.test(withoutScale(part)));
  const found = foreignIn(shared, outside, isForeign);
  if (found !== null) return found;
  for (const [il, tensors] of distinctLayers(index)) {
    const foreign = tensors.has('attn_qkv')
      ? (QKV.find((name) => tensors.has(name)) ?? null)
      : null;
    const name = foreign ?? foreignIn(tensors, inside, isForeign);
    if (name !== null) return `blk.${il}.${name}`;
  }
  return null;
}

function foreignIn(
  tensors: TensorGroups,
  parts: ReadonlySet<string>,
  isForeign: (parts: ReadonlySet<string>, part: string) => boolean,
): string | null {
  for (const [part, { weight, bias }] of tensors) {
    if (weight !== null && isForeign(parts, part)) return part;
    // A dense network's bias is not loaded without its matrix, as where the layer has experts.
    const isAlone = weight === null && /^ffn_(gate|up|down)$/.test(part);
    if (bias !== null && (isAlone || isForeign(parts, `${part}.bias`))) return `${part}.bias`;
  }
  return null;
}
