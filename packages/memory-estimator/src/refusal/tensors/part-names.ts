import type { TensorGroups } from '../../architecture/tensor-groups.js';

/** Endings of the scales of a quantized weight. */
const SCALE = /\.(input_)?scale$/;

/** Whether the tensors have a part: a name without `.weight`, or with `.bias`. */
export function hasPart(tensors: TensorGroups, part: string): boolean {
  return part.endsWith('.bias')
    ? tensors.get(part.slice(0, -5))?.bias != null
    : tensors.get(part)?.weight != null;
}

/** The name of a part's tensor. */
export function fullName(part: string): string {
  return /\.(bias|scale|ssm_[ad])$/.test(part) ? part : `${part}.weight`;
}

/** The part that a scale belongs to; any other part is returned as it is. */
export function withoutScale(part: string): string {
  return part.replace(SCALE, '');
}
