import type { TensorGroups } from '../../../architecture/tensor-groups.js';
import type { GgufTensor } from '../../../gguf/gguf-header.js';

/** The weight if its extents differ from `extents`, where `null` stands for any extent; else `null`. */
export function unlike(
  tensors: TensorGroups,
  name: string,
  extents: readonly (number | null)[],
): GgufTensor | null {
  const weight = tensors.get(name)?.weight ?? null;
  if (weight === null) return null;
  const { shape } = weight;
  const differs = [0, 1, 2, 3].some((dimension) => {
    const extent = dimension < extents.length ? (extents[dimension] ?? null) : 1;
    return extent !== null && (shape[dimension] ?? 1) !== extent;
  });
  return differs ? weight : null;
}
