import type { TensorTypeLayout } from '../gguf/tensor-types.js';
import { tensorTypeLayout } from '../gguf/tensor-types.js';

export const F32 = tensorTypeLayout(0) as TensorTypeLayout;
export const F16 = tensorTypeLayout(1) as TensorTypeLayout;
export const I32 = tensorTypeLayout(26) as TensorTypeLayout;
export const I64 = tensorTypeLayout(27) as TensorTypeLayout;

/** What a node does, as far as memory is concerned. */
export const Op = {
  /** A leaf: a weight, a cache or an input. */
  None: 0,
  /** Computes into fresh memory. */
  Compute: 1,
  /** May write over its first fitting operand (ggml_op_can_inplace). */
  InPlace: 2,
  /** Another look at the same memory (view, reshape, permute, transpose): nothing runs. */
  View: 3,
  /** Writes into memory that is there already (set_rows, cpy, in-place scale). */
  Write: 4,
  /** A product with a weight. */
  MatMul: 5,
  /** Attention in one operation; it is never placed by what it reads. */
  FlashAttention: 6,
  /** Rows picked from a table; no back end takes it over. */
  GetRows: 7,
} as const;

export type OpKind = (typeof Op)[keyof typeof Op];

/** What exactly a node does, as far as back ends that reorder nodes tell it apart. */
export type NodeKind =
  | 'rms-norm'
  | 'multiply'
  | 'add'
  | 'add-by-id'
  | 'rope'
  | 'view'
  | 'reshape'
  | 'set-rows'
  | 'unary'
  | 'soft-max'
  | 'sort'
  | 'sum-rows'
  | 'clamp'
  | 'divide'
  | 'other';

/** A node or leaf of a graph: its shape and strides, where it comes from, and the allocator's notes. */
export class Tensor {
  // Extents and strides (in bytes) one by one: half the cost of arrays, and there are thousands.
  readonly ne0: number;
  readonly ne1: number;
  readonly ne2: number;
  readonly ne3: number;
  nb0: number;
  nb1: number;
  nb2: number;
  nb3: number;
  readonly type: TensorTypeLayout;
  readonly op: OpKind;
  /** Operands; the scheduler puts copies in their place where they lie on another device. */
  sources: readonly Tensor[];
  /** The tensor that owns the memory, for a view. */
  readonly viewOf: Tensor | null;
  /** Memory that is not the graph's: weights and caches. The device that holds it, or null. */
  readonly home: number | null;
  kind: NodeKind = 'other';
  isWeight = false;
  isInput = false;
  isOutput = false;
  /** Set where the packed size is not the size: a copy of a view keeps its strides. */
  spanBytes = 0;

  // Notes of the graph and of the allocator.
  visited = false;
  children = 0;
  views = 0;
  allocated = false;
  offset = -1;
  device = -1;
  /** The scheduler's copies of it on other devices. */
  copies: Tensor[] | null = null;
  bufferOf = -1;
  /** Where it is among the nodes that are being reordered. */
  position = -1;
  /** The stretch of layers whose round it ends. */
  stretch = -1;

  constructor(
    type: TensorTypeLayout,
    ne0: number,
    ne1: number,
    ne2: number,
    ne3: number,
    op: OpKind,
    sources: readonly Tensor[],
    viewOf: Tensor | null,
    home: number | null,
  ) {
    this.type = type;
    this.ne0 = ne0;
    this.ne1 = ne1;
    this.ne2 = ne2;
    this.ne3 = ne3;
    this.nb0 = type.blockBytes;
    this.nb1 = type.blockBytes * (ne0 / type.blockElements);
    this.nb2 = this.nb1 * ne1;
    this.nb3 = this.nb2 * ne2;
    this.op = op;
    this.sources = sources;
    this.viewOf = viewOf;
    this.home = home;
  }

  /** Bytes of memory, for a tensor that owns its memory. */
  get bytes(): number {
    return this.spanBytes > 0 ? this.spanBytes : this.nb3 * this.ne3;
  }

  get elements(): number {
    return this.ne0 * this.ne1 * this.ne2 * this.ne3;
  }

  get isContiguous(): boolean {
    return (
      this.nb0 === this.type.blockBytes &&
      this.nb1 === this.nb0 * (this.ne0 / this.type.blockElements) &&
      (this.ne1 === 1 || this.ne2 === 1 || this.nb2 === this.nb1 * this.ne1) &&
      (this.ne3 === 1 || this.nb3 === this.nb2 * this.ne2)
    );
  }
}

export function sameLayout(a: Tensor, b: Tensor): boolean {
  return (
    a.type === b.type &&
    a.ne0 === b.ne0 &&
    a.ne1 === b.ne1 &&
    a.ne2 === b.ne2 &&
    a.ne3 === b.ne3 &&
    a.nb0 === b.nb0 &&
    a.nb1 === b.nb1 &&
    a.nb2 === b.nb2 &&
    a.nb3 === b.nb3
  );
}
