import type { ModelIndex } from '../../architecture/model-index.js';
import type { TensorGroups } from '../../architecture/tensor-groups.js';
import { mixedPlanOf, type Choice, type MixedPlan, type Parts } from './plans/mixed-plans.js';
import { fullName, hasPart, withoutScale } from './part-names.js';

/** A tensor that llama.cpp needs and the file lacks, by the plan of an architecture whose layers differ; `null` without one. */
export function findMissingInMixed(index: ModelIndex): string | null {
  const plan = planOf(index);
  // A file without data may be a header that was made for an estimate.
  if (plan === null || !index.header.hasData) return null;
  const { shared, layers, model } = index;
  const architecture = model?.architecture.name ?? '';
  const missing = plan.shared.required
    .flatMap((part) => inEachLayer(part, index))
    .find((part) => !hasPart(shared, part));
  if (missing !== undefined) return fullName(missing, architecture);
  for (const [il, tensors] of layers.entries()) {
    const wanted = il < (model?.layers ?? 0) ? wantedIn(plan, index, il).required : plan.nextToken;
    const part = wanted.find((name) => !hasPart(tensors, name));
    if (part !== undefined) return fullName(`blk.${il}.${part}`, architecture);
  }
  return null;
}

/** A tensor that llama.cpp does not load, by the plan of an architecture whose layers differ; `null` without one. */
export function findForeignInMixed(index: ModelIndex): string | null {
  const plan = planOf(index);
  if (plan === null || plan.shared.optional.includes('*')) return null;
  const { shared, layers, model } = index;
  const { required, optional } = plan.shared;
  const found = foreignIn(shared, ['token_embd', 'output_norm', ...required, ...optional]);
  if (found !== null) return found;
  for (const [il, tensors] of layers.slice(0, model?.layers ?? 0).entries()) {
    const wanted = wantedIn(plan, index, il);
    const name = foreignIn(tensors, [...wanted.required, ...wanted.optional]);
    if (name !== null) return `blk.${il}.${name}`;
  }
  return null;
}

function planOf({ model, metadata }: ModelIndex): MixedPlan | null {
  if (model === null) return null;
  const { name } = model.architecture;
  const hasInputs = (metadata.number('embedding_length_per_layer_input') ?? 0) > 0;
  return (hasInputs ? mixedPlanOf(`${name}+inputs`) : null) ?? mixedPlanOf(name);
}

/** The names of a tensor outside of layers. T5 has an encoder and a decoder with layers of their own. */
function inEachLayer(part: string, { metadata }: ModelIndex): readonly string[] {
  if (!part.includes('*')) return [part];
  const layers = metadata.number('block_count') ?? 0;
  const own = part.startsWith('dec.') ? metadata.number('decoder_block_count') : null;
  return Array.from({ length: own ?? layers }, (_, il) => part.replace('*', String(il)));
}

/** All parts of a layer. Of each choice, the alternative that is closest to the layer's tensors. */
function wantedIn(plan: MixedPlan, index: ModelIndex, il: number): Parts {
  const tensors = index.layers[il] ?? new Map();
  const chosen = plan.choices.map((choice) => closest(choice, index, il, tensors));
  const parts = [plan.layer, ...chosen];
  return {
    required: parts.flatMap(({ required }) => required),
    optional: parts.flatMap(({ optional }) => optional),
  };
}

/** The alternative with the fewest parts that are missing, or that only another alternative has. */
function closest(choice: Choice, index: ModelIndex, il: number, tensors: TensorGroups): Parts {
  const { alternatives, others } = choice;
  const allowed = takesAlternatives(choice, index, il) ? alternatives : others;
  const all = new Set([...alternatives, ...others].flatMap((parts) => allOf(parts)));
  const faults = (parts: Parts): number => {
    const own = new Set(allOf(parts));
    return (
      parts.required.filter((part) => !hasPart(tensors, part)).length +
      [...all].filter((part) => !own.has(part) && hasPart(tensors, part)).length
    );
  };
  return allowed.reduce((best, one) => (faults(one) < faults(best) ? one : best));
}

function takesAlternatives(
  { layers }: Choice,
  { model, metadata }: ModelIndex,
  il: number,
): boolean {
  switch (layers) {
    case 'leading':
      return il < (metadata.number('leading_dense_block_count') ?? 0);
    case 'recurrent':
      return model?.recurrent[il] === true;
    case 'borrowing':
      return il >= (model?.layers ?? 0) - (metadata.number('attention.shared_kv_layers') ?? 0);
    case 'layer-0':
      return il === 0;
    case 'any':
      return true;
  }
}

function allOf({ required, optional }: Parts): readonly string[] {
  return [...required, ...optional];
}

function foreignIn(tensors: TensorGroups, parts: readonly string[]): string | null {
  for (const [part, { weight, bias }] of tensors) {
    if (weight !== null && !parts.includes(withoutScale(part))) return part;
    if (bias !== null && !parts.includes(`${part}.bias`)) return `${part}.bias`;
  }
  return null;
}
