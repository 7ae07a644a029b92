import type { TensorGroups } from '../../architecture/tensor-groups.js';

/** Endings of the scales of a quantized weight. */
const SCALE = /\.(input_)?scale$/;

/** Whether the tensors have a part: a name without `.weight`, or with `.bias`. */
export function hasPart(tensors: TensorGroups, part: string): boolean {
  return part.endsWith('.bias')
    ? tensors.get(part.slice(0, -5))?.bias != null
    : tensors.get(part)?.weight != null;
}

/** Parts of a layer whose names llama.cpp reads without `.weight`: of every architecture, and of single ones. */
const BARE = ['ssm_a', 'ssm_d'];
const BARE_IN: Readonly<Record<string, readonly string[]>> = {
  'falcon-h1': ['ffn_norm'],
  plamo2: ['post_attention_norm', 'post_ffw_norm', 'ssm_dt_norm', 'ssm_b_norm', 'ssm_c_norm'],
  plamo3: ['post_attention_norm', 'post_ffw_norm'],
};

/** Whether the name of a part of a layer has no ending. */
export function isBare(part: string, architecture: string): boolean {
  return BARE.includes(part) || (BARE_IN[architecture] ?? []).includes(part);
}

/** Whether the name of a part may have no ending in an architecture that `isBare` does not name: norms may. */
export function mayBeBare(part: string): boolean {
  return !/^(attn_(q|k|v|qkv|output)|ffn_(up|gate|down))$/.test(part);
}

/** The name of a part's tensor. */
export function fullName(part: string, architecture: string): string {
  const inLayer = part.replace(/^blk\.\d+\./, '');
  return /\.(bias|scale)$/.test(part) || isBare(inLayer, architecture) ? part : `${part}.weight`;
}

/** The part that a scale belongs to; any other part is returned as it is. */
export function withoutScale(part: string): string {
  return part.replace(SCALE, '');
}
