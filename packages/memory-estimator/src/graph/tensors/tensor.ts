import { TENSOR_TYPES, type TensorTypeLayout } from '../../gguf/tensor-types.js';

export const { F32, F16, I32, I64 } = TENSOR_TYPES;

/** How a node uses memory. */
export const Op = {
  /** A leaf: a weight, a cache or an input. Nothing is computed. */
  None: 0,
  /** Computes into new memory. */
  Compute: 1,
  /** May overwrite its first operand of the same layout (ggml_op_can_inplace). */
  InPlace: 2,
  /** Views the memory of another tensor (view, reshape, permute, transpose). Nothing is computed. */
  View: 3,
  /** Writes into the memory of another tensor (set_rows, cpy, in-place scale). */
  Write: 4,
  /** Multiplies with a weight. */
  MatMul: 5,
  /** Computes attention in one operation. The devices of the operands do not decide the device of this operation. */
  FlashAttention: 6,
  /** Picks rows from a table. No GPU takes this operation over from the CPU. */
  GetRows: 7,
} as const;

export type OpKind = (typeof Op)[keyof typeof Op];

/** The kind of a node's operation. It has only the distinctions that a back end needs to reorder nodes. */
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

/** A node or leaf of a graph: its shape, its operands, and fields that the scheduler and the allocator set. */
export class Tensor {
  // Extents, and strides in bytes. Separate fields are twice as fast as arrays, and a graph has thousands of
  // tensors.
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
  /** Operands. The scheduler replaces operands on another device by copies. */
  sources: readonly Tensor[];
  /** For a view, the tensor that owns the memory. */
  readonly viewOf: Tensor | null;
  /** For a weight or a cache, the device that holds its memory; `null` for a tensor of the graph. */
  readonly home: number | null;
  kind: NodeKind = 'other';
  /** The device that must compute this tensor; `null` where the scheduler chooses. */
  pinnedTo: number | null = null;
  isWeight = false;
  isInput = false;
  isOutput = false;
  /** Bytes of a copy of a view, which keeps the strides of the view; 0 for other tensors. */
  spanBytes = 0;

  // Fields that the graph, the scheduler and the allocator set.
  visited = false;
  children = 0;
  views = 0;
  allocated = false;
  offset = -1;
  device = -1;
  /** Copies of this tensor on other devices. */
  copies: Tensor[] | null = null;
  /** The device whose buffer holds this tensor. */
  bufferOf = -1;
  /** Index of this tensor among the nodes that are reordered. */
  position = -1;
  /** The repeating stretch of layers that has a mark at this tensor. */
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

/** Whether two tensors have the same type, extents and strides. */
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
