import { FreeList } from './free-list.js';
import { Op, sameLayout, type Tensor } from './tensor.js';

/**
 * How large the compute buffer of each device must be for a graph: ggml_gallocr's reservation, which packs
 * tensors by their lifetimes and writes in place where it can. Source: ggml/src/ggml-alloc.c.
 *
 * `tensor.device` says where a tensor goes, `alignments` to how many bytes it is rounded up there; all tensors' notes must be fresh. Memory is compared at the
 * marks of each stretch, right after they are computed.
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
    bytes: allocation.lists.map((list) => list.peak),
    liveBytes: allocation.lists.map((list) => list.livePeak),
    settled: marks.every((_, stretch) =>
      hasSettled(snapshots.filter((snapshot) => snapshot.stretch === stretch)),
    ),
  };
}

/** What a graph needs, and whether memory at each stretch's last mark looked as at an earlier one. */
export interface Reservation {
  /** By device. */
  readonly bytes: readonly number[];
  /** By device: what is in use at once at most. It never falls when tensors grow, as `bytes` can. */
  readonly liveBytes: readonly number[];
  readonly settled: boolean;
}

/** Memory right after a mark. */
interface Snapshot {
  readonly stretch: number;
  /** Where the mark is among the nodes. */
  readonly at: number;
  /** Where each device's memory is free. */
  readonly free: readonly (readonly number[])[];
  /** How far back `live` goes, in nodes: to the stretch's mark before, or to the start. */
  readonly reach: number;
  /** The nodes within reach that are in memory, last first, but for those that stay there to the last mark. */
  live: readonly LiveNode[];
}

interface LiveNode {
  /** How far before the mark it is, in nodes. */
  readonly before: number;
  readonly node: Tensor;
}

/**
 * Whether memory at the last mark is as it was at an earlier one: the same space free, and in what is not,
 * the same tensors of the last round at the same places. What is older, and what was still there at the last
 * mark, stays where it is.
 */
function hasSettled(snapshots: readonly Snapshot[]): boolean {
  const last = snapshots.at(-1);
  const previous = snapshots.at(-2);
  if (last === undefined || previous === undefined) return false;
  const round = last.at - previous.at;
  return snapshots.slice(0, -1).some((snapshot) => looksAlike(snapshot, last, round));
}

/** Whether memory is the same, with the nodes of so many before each mark at the same places. */
function looksAlike(one: Snapshot, other: Snapshot, round: number): boolean {
  if (one.reach < round || other.reach < round) return false;
  if (!one.free.every((list, device) => sameNumbers(list, other.free[device] ?? []))) return false;
  const [lives, others] = [one, other].map(({ live }) =>
    live.filter(({ before }) => before < round),
  ) as [LiveNode[], LiveNode[]];
  return lives.length === others.length && lives.every((live, i) => isAlike(live, others[i]));
}

function isAlike(one: LiveNode, other: LiveNode | undefined): boolean {
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
  readonly lists: readonly FreeList[];

  constructor(alignments: readonly number[]) {
    this.lists = alignments.map((alignment) => new FreeList(alignment));
  }

  /** What memory looked like at the marks. */
  run(nodes: readonly Tensor[], leaves: readonly Tensor[]): readonly Snapshot[] {
    const snapshots: Snapshot[] = [];
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
    for (let at = 0; at < nodes.length; at += 1) {
      const node = nodes[at] as Tensor;
      const { sources } = node;
      for (let j = 0; j < sources.length; j += 1) this.#place(sources[j] as Tensor, node.device);
      this.#place(node, node.device);
      for (let j = 0; j < sources.length; j += 1) this.#release(sources[j] as Tensor);
      if (node.stretch >= 0) {
        const earlier = snapshots.filter(({ stretch }) => stretch === node.stretch);
        for (const one of earlier) one.live = one.live.filter((live) => !live.node.allocated);
        snapshots.push(this.#snapshot(nodes, at, at - (earlier.at(-1)?.at ?? -1)));
      }
    }
    return snapshots;
  }

  #snapshot(nodes: readonly Tensor[], at: number, reach: number): Snapshot {
    const live: LiveNode[] = [];
    for (let before = 0; before < reach; before += 1) {
      const node = nodes[at - before] as Tensor;
      if (node.allocated) live.push({ before, node });
    }
    const { stretch } = nodes[at] as Tensor;
    return { stretch, at, reach, free: this.lists.map((list) => list.snapshot()), live };
  }

  #place(tensor: Tensor, device: number): void {
    if (tensor.home !== null || tensor.allocated || tensor.viewOf !== null) return;
    tensor.allocated = true;
    if (tensor.op === Op.InPlace && this.#overwrite(tensor)) return;
    tensor.bufferOf = device;
    tensor.offset = (this.lists[device] as FreeList).take(tensor.bytes);
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
      const had = list.aligned(parent.bytes);
      const needs = list.aligned(tensor.bytes);
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
    list.give(tensor.offset, tensor.bytes);
    tensor.allocated = false;
  }
}
