import { Op, sameLayout, type Tensor } from '../tensors/tensor.js';
import { FreeList } from './free-list.js';

/**
 * The size of each device's compute buffer for a graph, as ggml_gallocr reserves it: tensors are packed by their
 * lifetimes, and overwrite an operand where ggml allows this. Source: ggml/src/ggml-alloc.c.
 *
 * @param nodes `tensor.device` names each tensor's device. The function changes the nodes, so call it only once for
 * a graph.
 * @param alignments By device: bytes that a tensor's size is rounded up to.
 * @param marks By stretch of layers: nodes after which the state of memory is compared.
 */
export function reserve(
  nodes: readonly Tensor[],
  leaves: readonly Tensor[],
  alignments: readonly number[],
  marks: readonly (readonly Tensor[])[] = [],
): Reservation {
  const allocation = new Allocation(alignments);
  for (const [stretch, ends] of marks.entries()) {
    for (const mark of ends) mark.stretch = stretch;
  }
  const snapshots = allocation.run(nodes, leaves);
  return {
    bytes: allocation.buffers.map((buffer) => buffer.peak),
    liveBytes: allocation.buffers.map((buffer) => buffer.livePeak),
    settled: marks.every((_, stretch) =>
      hasSettled(snapshots.filter((snapshot) => snapshot.stretch === stretch)),
    ),
  };
}

/** The memory that a graph needs. */
export interface Reservation {
  /** By device: size of the compute buffer. */
  readonly bytes: readonly number[];
  /**
   * By device: the most bytes in use at once. Larger tensors never lower this figure, but may lower `bytes`.
   */
  readonly liveBytes: readonly number[];
  /** Whether, in every stretch, memory at the last mark is in the same state as at an earlier mark. */
  readonly settled: boolean;
}

/** The state of memory right after a mark. */
interface Snapshot {
  readonly stretch: number;
  /** Index of the mark among the nodes. */
  readonly at: number;
  /** The free blocks of each device. */
  readonly free: readonly (readonly number[])[];
  /** Number of nodes since the previous mark of the stretch, or since the start. */
  readonly reach: number;
  /** The nodes in memory to compare, from last to first. Nodes that stay until the last mark are left out. */
  live: readonly LiveNode[];
}

interface LiveNode {
  /** Number of nodes between this node and the mark. */
  readonly before: number;
  readonly node: Tensor;
}

/**
 * Whether memory at the last mark is in the same state as at an earlier mark: the same blocks are free, and
 * the tensors of the last round lie at the same offsets. Older tensors, and those that stay until the last
 * mark, do not move in between.
 */
function hasSettled(snapshots: readonly Snapshot[]): boolean {
  const last = snapshots.at(-1);
  const previous = snapshots.at(-2);
  if (last === undefined || previous === undefined) return false;
  const round = last.at - previous.at;
  return snapshots.slice(0, -1).some((snapshot) => isSameState(snapshot, last, round));
}

/**
 * Whether the same blocks are free, and the last `round` nodes before each mark lie at the same offsets.
 */
function isSameState(one: Snapshot, other: Snapshot, round: number): boolean {
  if (one.reach < round || other.reach < round) return false;
  if (!one.free.every((list, device) => sameNumbers(list, other.free[device] ?? []))) return false;
  const inRound = ({ live }: Snapshot) => live.filter(({ before }) => before < round);
  const [lives, others] = [inRound(one), inRound(other)];
  return lives.length === others.length && lives.every((live, i) => isSamePlace(live, others[i]));
}

function isSamePlace(one: LiveNode, other: LiveNode | undefined): boolean {
  return (
    one.before === other?.before &&
    one.node.bufferOf === other.node.bufferOf &&
    one.node.offset === other.node.offset
  );
}

function sameNumbers(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((value, i) => value === other[i]);
}

class Allocation {
  /** The buffer of each device. */
  readonly buffers: readonly FreeList[];

  constructor(alignments: readonly number[]) {
    this.buffers = alignments.map((alignment) => new FreeList(alignment));
  }

  /** Allocates all tensors, and returns the state of memory at the marks. */
  run(nodes: readonly Tensor[], leaves: readonly Tensor[]): readonly Snapshot[] {
    const snapshots: Snapshot[] = [];
    for (const leaf of leaves) this.#place(leaf, leaf.device);
    for (const node of nodes) {
      if (node.viewOf !== null && node.op !== Op.None) node.viewOf.views += 1;
      if (node.isInput) this.#place(node, node.device);
      for (const source of node.sources) {
        source.children += 1;
        if (source.isInput) this.#place(source, node.device);
      }
    }
    let at = -1;
    for (const node of nodes) {
      at += 1;
      for (const source of node.sources) this.#place(source, node.device);
      this.#place(node, node.device);
      for (const source of node.sources) this.#release(source);
      if (node.stretch >= 0) {
        const earlier = snapshots.filter(({ stretch }) => stretch === node.stretch);
        for (const one of earlier) one.live = one.live.filter((live) => !live.node.allocated);
        snapshots.push(this.#snapshot(nodes, node.stretch, at, at - (earlier.at(-1)?.at ?? -1)));
      }
    }
    return snapshots;
  }

  #snapshot(nodes: readonly Tensor[], stretch: number, at: number, reach: number): Snapshot {
    const live: LiveNode[] = [];
    for (let before = 0; before < reach; before += 1) {
      const node = nodes[at - before];
      if (node?.allocated === true) live.push({ before, node });
    }
    return { stretch, at, reach, free: this.buffers.map((buffer) => buffer.snapshot()), live };
  }

  #place(tensor: Tensor, device: number): void {
    if (tensor.home !== null || tensor.allocated || tensor.viewOf !== null) return;
    tensor.allocated = true;
    if (tensor.op === Op.InPlace && this.#overwrite(tensor)) return;
    tensor.bufferOf = device;
    tensor.offset = this.#buffer(device).take(tensor.bytes);
  }

  /**
   * Places a tensor over an operand that no other node needs. An operand that is a view is never
   * overwritten, because ggml allocates no memory for views.
   */
  #overwrite(tensor: Tensor): boolean {
    for (const parent of tensor.sources) {
      if (!parent.allocated || parent.isOutput || !sameLayout(tensor, parent)) continue;
      if (parent.children !== 1 || parent.views !== 0) continue;
      tensor.bufferOf = parent.bufferOf;
      tensor.offset = parent.offset;
      parent.allocated = false;
      const buffer = this.#buffer(parent.bufferOf);
      const had = buffer.aligned(parent.bytes);
      const needs = buffer.aligned(tensor.bytes);
      if (had > needs) buffer.give(parent.offset + needs, had - needs);
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
    this.#buffer(tensor.bufferOf).give(tensor.offset, tensor.bytes);
    tensor.allocated = false;
  }

  #buffer(device: number): FreeList {
    const buffer = this.buffers[device];
    if (buffer === undefined) throw new RangeError(`No buffer for device ${device}.`);
    return buffer;
  }
}
