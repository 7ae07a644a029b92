// The operations of ggml that the models use, reduced to their use of memory: the shape of the result, the
// tensor that it views, and whether it may overwrite an operand. Source: ggml/src/ggml.c.
import type { TensorTypeLayout } from '../../gguf/tensor-types.js';
import { F16, F32, I32, Op, Tensor, type NodeKind } from './tensor.js';

type Sources = readonly Tensor[];

/** A weight or a cache. Its memory is on the device `home`, not in the compute buffer. */
export function leaf(
  type: TensorTypeLayout,
  home: number,
  ne0: number,
  ne1 = 1,
  ne2 = 1,
  ne3 = 1,
): Tensor {
  return new Tensor(type, ne0, ne1, ne2, ne3, Op.None, NOTHING, null, home);
}

/** A tensor that llama.cpp fills before each run. */
export function input(type: TensorTypeLayout, ne0: number, ne1 = 1, ne2 = 1, ne3 = 1): Tensor {
  const tensor = new Tensor(type, ne0, ne1, ne2, ne3, Op.None, NOTHING, null, null);
  tensor.isInput = true;
  return tensor;
}

const NOTHING: Sources = [];

export function compute(
  type: TensorTypeLayout,
  sources: Sources,
  ne0: number,
  ne1 = 1,
  ne2 = 1,
  ne3 = 1,
): Tensor {
  return new Tensor(type, ne0, ne1, ne2, ne3, Op.Compute, sources, null, null);
}

/** A result in new memory with the shape of the first operand (cont, norm, l2_norm). */
export function likeFirst(...sources: [Tensor, ...Tensor[]]): Tensor {
  const a = sources[0];
  return new Tensor(a.type, a.ne0, a.ne1, a.ne2, a.ne3, Op.Compute, sources, null, null);
}

/** A result that has the shape of the first operand and may overwrite it (add, mul, rope, scale, silu, ...). */
export function inPlace(...sources: [Tensor, ...Tensor[]]): Tensor {
  const a = sources[0];
  return new Tensor(a.type, a.ne0, a.ne1, a.ne2, a.ne3, Op.InPlace, sources, null, null);
}

function ofKind(kind: NodeKind, tensor: Tensor): Tensor {
  tensor.kind = kind;
  return tensor;
}

export function add(a: Tensor, b: Tensor): Tensor {
  return ofKind('add', inPlace(a, b));
}

/** Adds the bias of each chosen expert to its rows. */
export function addById(a: Tensor, b: Tensor, ids: Tensor): Tensor {
  return ofKind('add-by-id', inPlace(a, b, ids));
}

export function multiply(a: Tensor, b: Tensor): Tensor {
  return ofKind('multiply', inPlace(a, b));
}

export function divide(a: Tensor, b: Tensor): Tensor {
  return ofKind('divide', inPlace(a, b));
}

export function clamp(a: Tensor): Tensor {
  return ofKind('clamp', inPlace(a));
}

export function rmsNorm(a: Tensor): Tensor {
  return ofKind('rms-norm', inPlace(a));
}

export function rope(a: Tensor, positions: Tensor, factors: Tensor | null = null): Tensor {
  const rotated = factors === null ? inPlace(a, positions) : inPlace(a, positions, factors);
  return ofKind('rope', rotated);
}

/** An activation function (silu, gelu, sigmoid, ...) that is not fused with a gate. */
export function unary(a: Tensor): Tensor {
  return ofKind('unary', inPlace(a));
}

/** Softmax of scores. A mask and sinks are further operands. */
export function softMax(...sources: [Tensor, ...Tensor[]]): Tensor {
  return ofKind('soft-max', inPlace(...sources));
}

export function matMul(weight: Tensor, x: Tensor): Tensor {
  return new Tensor(F32, weight.ne1, x.ne1, x.ne2, x.ne3, Op.MatMul, [weight, x], null, null);
}

/** A product with the experts that `ids` chooses. */
export function matMulById(weights: Tensor, x: Tensor, ids: Tensor): Tensor {
  const sources = [weights, x, ids];
  return new Tensor(F32, weights.ne1, ids.ne0, x.ne2, 1, Op.MatMul, sources, null, null);
}

export function getRows(table: Tensor, ids: Tensor): Tensor {
  const type = table.type === I32 ? I32 : F32;
  const { ne0, ne1, ne2 } = ids;
  return new Tensor(type, table.ne0, ne0, ne1, ne2, Op.GetRows, [table, ids], null, null);
}

/** A view with these extents and strides (in bytes). Default strides: those of packed data. */
export function view(
  a: Tensor,
  extents: readonly [number, number?, number?, number?],
  strides: readonly [number?, number?, number?] = [],
): Tensor {
  const [ne0, ne1 = 1, ne2 = 1, ne3 = 1] = extents;
  const tensor = new Tensor(a.type, ne0, ne1, ne2, ne3, Op.View, [a], a.viewOf ?? a, null);
  tensor.nb1 = strides[0] ?? tensor.nb1;
  tensor.nb2 = strides[1] ?? tensor.nb1 * ne1;
  tensor.nb3 = strides[2] ?? tensor.nb2 * ne2;
  return ofKind('view', tensor);
}

export function reshape(a: Tensor, ne0: number, ne1 = 1, ne2 = 1, ne3 = 1): Tensor {
  const tensor = new Tensor(a.type, ne0, ne1, ne2, ne3, Op.View, [a], a.viewOf ?? a, null);
  return ofKind('reshape', tensor);
}

/** Swaps the second and the third dimension, as attention needs. */
export function swapHeads(a: Tensor): Tensor {
  return strided(a, [a.ne0, a.ne2, a.ne1, a.ne3], [a.nb0, a.nb2, a.nb1, a.nb3]);
}

export function transpose(a: Tensor): Tensor {
  return strided(a, [a.ne1, a.ne0, a.ne2, a.ne3], [a.nb1, a.nb0, a.nb2, a.nb3]);
}

type Four = readonly [number, number, number, number];

export function strided(a: Tensor, [ne0, ne1, ne2, ne3]: Four, [nb0, nb1, nb2, nb3]: Four): Tensor {
  const tensor = new Tensor(a.type, ne0, ne1, ne2, ne3, Op.View, [a], a.viewOf ?? a, null);
  tensor.nb0 = nb0;
  tensor.nb1 = nb1;
  tensor.nb2 = nb2;
  tensor.nb3 = nb3;
  return tensor;
}

/** Writes rows into `target` at the positions `ids`. */
export function setRows(target: Tensor, rows: Tensor, ids: Tensor): Tensor {
  return ofKind('set-rows', writeInto(target, [rows, ids, target]));
}

export function copyInto(target: Tensor, from: Tensor): Tensor {
  return writeInto(target, [from, target]);
}

/** An operation whose result is in the memory of `target`. */
export function writeInto(target: Tensor, sources: Sources): Tensor {
  const { type, ne0, ne1, ne2, ne3 } = target;
  const owner = target.viewOf ?? target;
  const tensor = new Tensor(type, ne0, ne1, ne2, ne3, Op.Write, sources, owner, null);
  tensor.nb0 = target.nb0;
  tensor.nb1 = target.nb1;
  tensor.nb2 = target.nb2;
  tensor.nb3 = target.nb3;
  return tensor;
}

export function concat(a: Tensor, b: Tensor, dimension: 0 | 2): Tensor {
  return dimension === 0
    ? compute(a.type, [a, b], a.ne0 + b.ne0, a.ne1, a.ne2, a.ne3)
    : compute(a.type, [a, b], a.ne0, a.ne1, a.ne2 + b.ne2, a.ne3);
}

export function sumRows(a: Tensor): Tensor {
  return ofKind('sum-rows', compute(a.type, [a], 1, a.ne1, a.ne2, a.ne3));
}

/** A gated activation with gate and value in two tensors. */
export function gatedSplit(gate: Tensor, up: Tensor): Tensor {
  return likeFirst(gate, up);
}

/** A gated activation with gate and value side by side in one tensor. */
export function gatedHalves(a: Tensor): Tensor {
  return compute(a.type, [a], a.ne0 / 2, a.ne1, a.ne2, a.ne3);
}

/**
 * Indices of the `count` highest values of each row. ggml sorts all values and returns a view of the first values.
 */
export function topK(a: Tensor, count: number): Tensor {
  const sorted = ofKind('sort', compute(I32, [a], a.ne0, a.ne1, a.ne2, a.ne3));
  return view(
    sorted,
    [count, sorted.ne1, sorted.ne2, sorted.ne3],
    [sorted.nb1, sorted.nb2, sorted.nb3],
  );
}

export function flashAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  mask: Tensor,
  sinks: Tensor | null,
): Tensor {
  const sources = sinks === null ? [q, k, v, mask] : [q, k, v, mask, sinks];
  return new Tensor(F32, v.ne0, q.ne2, q.ne1, q.ne3, Op.FlashAttention, sources, null, null);
}

export function contiguous(a: Tensor): Tensor {
  return likeFirst(a);
}

/** Converts F32 to F16, because flash attention does not take F32 keys and values. */
export function castToHalf(a: Tensor): Tensor {
  return a.type === F32 ? compute(F16, [a], a.ne0, a.ne1, a.ne2, a.ne3) : a;
}

export function contiguous2d(a: Tensor, ne0: number, ne1: number): Tensor {
  return compute(a.type, [a], ne0, ne1);
}

export function contiguous3d(a: Tensor, ne0: number, ne1: number, ne2: number): Tensor {
  return compute(a.type, [a], ne0, ne1, ne2);
}

export function repeat(a: Tensor, ne0: number, ne1: number, ne2: number, ne3 = 1): Tensor {
  return compute(a.type, [a], ne0, ne1, ne2, ne3);
}
