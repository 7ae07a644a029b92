import { FreeList } from './free-list.js';
import { Op, sameLayout, type Tensor } from './tensor.js';

/** A buffer that graph tensors go to: its rules of alignment and of extra space. */
export interface BufferRules {
  readonly alignment: number;
  /** Bytes that a tensor takes there, where that is more than its data. */
  allocBytes(tensor: Tensor): number;
}

/**
 * How large the compute buffer of each device must be for a graph: ggml_gallocr's reservation, which packs
 * tensors by their lifetimes and writes in place where it can. Source: ggml/src/ggml-alloc.c.
 *
 * `tensor.device` says where a tensor goes; all tensors' notes must be fresh. Memory is compared at the
 * marks, right after they are computed.
 */
export function reserve(
  nodes: readonly Tensor[],
  leaves: readonly Tensor[],
  buffers: readonly BufferRules[],
  marks: readonly Tensor[] = [],
): Reservation {
  const allocation = new Allocation(buffers);
  allocation.run(nodes, leaves, new Set(marks));
  return {
    bytes: allocation.lists.map((list) => list.peak),
    liveBytes: allocation.lists.map((list) => list.livePeak),
    settled: allocation.snapshots.slice(0, -1).includes(allocation.snapshots.at(-1) ?? ''),
  };
}

/** What a graph needs, and whether memory at the last mark looked as it did at an earlier one. */
export interface Reservation {
  /** By device. */
  readonly bytes: readonly number[];
  /** By device: what is in use at once at most. It never falls when tensors grow, as `bytes` can. */
  readonly liveBytes: readonly number[];
  readonly settled: boolean;
}

class Allocation {
  readonly lists: readonly FreeList[];
  readonly snapshots: string[] = [];
  readonly #buffers: readonly BufferRules[];

  constructor(buffers: readonly BufferRules[]) {
    this.#buffers = buffers;
    this.lists = buffers.map((buffer) => new FreeList(buffer.alignment));
  }

  run(nodes: readonly Tensor[], leaves: readonly Tensor[], marks: ReadonlySet<Tensor>): void {
    for (const leaf of leaves) this.#place(leaf, leaf.device);
    for (const node of nodes) {
      if (node.viewOf !== null && node.op !== Op.None) node.viewOf.views += 1;
      if (node.isInput) this.#place(node, node.device);
      const { sources } = node;
      for (let j = 0; j < sources.length; j += 1) {
        const source = sources[j] as Tensor;
        source.children += 1;
        if (source.isInput) this.#place(source, node.device);
      }
    }
    for (const node of nodes) {
      const { sources } = node;
      for (let j = 0; j < sources.length; j += 1) this.#place(sources[j] as Tensor, node.device);
      this.#place(node, node.device);
      for (let j = 0; j < sources.length; j += 1) this.#release(sources[j] as Tensor);
      if (marks.size > 0 && marks.has(node)) this.#snapshot(node);
    }
  }

  #snapshot(node: Tensor): void {
    this.snapshots.push(`${node.offset};${this.lists.map((list) => list.snapshot()).join()}`);
  }

  #place(tensor: Tensor, device: number): void {
    if (tensor.home !== null || tensor.allocated || tensor.viewOf !== null) return;
    tensor.allocated = true;
    if (tensor.op === Op.InPlace && this.#overwrite(tensor)) return;
    tensor.bufferOf = device;
    tensor.offset = (this.lists[device] as FreeList).take(this.#bytes(tensor, device));
  }

  /**
   * Takes over the memory of an operand that nobody needs any more. Views never qualify: ggml asks whether
   * the operand itself was allocated, and a view never is.
   */
  #overwrite(tensor: Tensor): boolean {
    for (const parent of tensor.sources) {
      if (!parent.allocated || parent.isOutput || !sameLayout(tensor, parent)) continue;
      if (parent.children !== 1 || parent.views !== 0) continue;
      tensor.bufferOf = parent.bufferOf;
      tensor.offset = parent.offset;
      parent.allocated = false;
      const list = this.lists[parent.bufferOf] as FreeList;
      const had = list.aligned(this.#bytes(parent, parent.bufferOf));
      const needs = list.aligned(this.#bytes(tensor, parent.bufferOf));
      if (had > needs) list.give(parent.offset + needs, had - needs);
      return true;
    }
    return false;
  }

  #release(source: Tensor): void {
    source.children -= 1;
    if (source.children !== 0 || source.views !== 0) return;
    const owner = source.viewOf;
    if (owner === null) {
      if (source.allocated) this.#free(source);
      return;
    }
    owner.views -= 1;
    if (owner.views === 0 && owner.children === 0 && owner.allocated) this.#free(owner);
  }

  #free(tensor: Tensor): void {
    if (tensor.isOutput) return;
    const list = this.lists[tensor.bufferOf] as FreeList;
    list.give(tensor.offset, this.#bytes(tensor, tensor.bufferOf));
    tensor.allocated = false;
  }

  #bytes(tensor: Tensor, device: number): number {
    return (this.#buffers[device] as BufferRules).allocBytes(tensor);
  }
}
