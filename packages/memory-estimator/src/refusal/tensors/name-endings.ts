import type { ModelIndex } from '../../architecture/model-index.js';
import { isPlanned } from './layer-faults.js';
import { fullName, isBare, mayBeBare } from './part-names.js';

const USUAL_OUTSIDE = ['token_embd', 'output_norm', 'output'];

/**
 * The name that llama.cpp reads for a tensor whose name has another ending, as `post_attention_norm.weight` in PLaMo 3;
 * `null` without one. llama.cpp then lacks the tensor, although the file has it under another name.
 */
export function findOtherEnding({ model, shared, layers }: ModelIndex): string | null {
  const architecture = model?.architecture.name ?? '';
  if (model === null || !isPlanned(architecture)) return null;
  const outside = USUAL_OUTSIDE.find((part) => shared.get(part)?.weight?.name === part);
  if (outside !== undefined) return fullName(outside, architecture);
  // The first layer in which a part has the ending, and the first in which it has none.
  const ending = new Map<string, number>();
  const bare = new Map<string, number>();
  for (const [il, tensors] of layers.slice(0, model.layers).entries())
    tensors.forEach(({ weight }, part) => {
      if (weight === null) return;
      const first = weight.name.endsWith('.weight') ? ending : bare;
      if (!first.has(part)) first.set(part, il);
    });
  const wrong = [
    ...[...ending].filter(([part]) => isBare(part, architecture)),
    // It is not known for every architecture which parts have no ending. But the name of a part has an ending either in all
    // layers or in none.
    ...[...bare].filter(
      ([part]) => !isBare(part, architecture) && (ending.has(part) || !mayBeBare(part)),
    ),
  ].sort(([, one], [, other]) => one - other);
  const [first] = wrong;
  return first === undefined ? null : fullName(`blk.${first[1]}.${first[0]}`, architecture);
}
