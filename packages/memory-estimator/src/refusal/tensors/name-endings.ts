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
  const own = layers.slice(0, model.layers);
  const ending = new Set(
    own.flatMap((tensors) =>
      [...tensors].flatMap(([part, { weight }]) => (hasEnding(weight) ? [part] : [])),
    ),
  );
  for (const [il, tensors] of own.entries())
    for (const [part, { weight }] of tensors) {
      if (weight === null) continue;
      // It is not known for every architecture which parts have no ending. But the name of a part has an ending either in all
      // layers or in none.
      const isWrong = isBare(part, architecture)
        ? hasEnding(weight)
        : !hasEnding(weight) && (ending.has(part) || !mayBeBare(part));
      if (isWrong) return fullName(`blk.${il}.${part}`, architecture);
    }
  return null;
}

function hasEnding(tensor: { readonly name: string } | null): boolean {
  return tensor?.name.endsWith('.weight') === true;
}
