import type { Graph } from '../tensors/graph.js';
import { Op, Tensor } from '../tensors/tensor.js';

/** Which operations a GPU takes over although their weights are on the CPU. */
export interface OffloadRules {
  /** The fewest rows for which the first GPU takes over an operation (GGML_OP_OFFLOAD_MIN_BATCH). */
  readonly minBatch: number;
  /** Whether the GPU takes over only matrix products, as Metal does. */
  readonly onlyProducts: boolean;
}

/** The order in which a GPU's back end runs the nodes of a split. */
export type Reorder = (nodes: readonly Tensor[]) => readonly Tensor[];

/** A graph whose operations have devices, with copies of tensors that another device needs. */
export interface Schedule {
  readonly nodes: readonly Tensor[];
  readonly leaves: readonly Tensor[];
}

const UNASSIGNED = -1;

/**
 * Assigns a device to every operation, and inserts copies where data moves between devices, as ggml's
 * scheduler does. Source: ggml_backend_sched_split_graph in ggml-backend.cpp.
 *
 * @param cpu Index of the CPU. The GPUs have the indices below it.
 */
export function schedule(
  graph: Graph,
  cpu: number,
  offload: OffloadRules,
  reorder: Reorder | null,
): Schedule {
  const { nodes, leaves } = graph;
  for (const leaf of leaves) leaf.device = ownDevice(leaf, cpu, offload);
  for (const node of nodes) node.device = ownDevice(node, cpu, offload);
  const backwards = [...nodes].reverse();
  expand(nodes, cpu, true);
  expand(backwards, cpu, true);
  expand(nodes, cpu, false);
  expand(backwards, cpu, false);
  settleViews(nodes, cpu);
  const order = (split: Split) =>
    reorder === null || split.device === cpu ? split.nodes : reorder(split.nodes);
  return { nodes: insertCopies(nodes, order), leaves };
}

/** The device that a tensor is pinned to, or that its memory or weights require; UNASSIGNED where none is required. */
function ownDevice(tensor: Tensor, cpu: number, offload: OffloadRules): number {
  const home = tensor.pinnedTo ?? tensor.home ?? tensor.viewOf?.home ?? null;
  if (home !== null) return home;
  if (tensor.isInput) return cpu;
  // The frequency factors of a rotation are weights, but too small to decide the device of the rotation.
  if (tensor.op === Op.FlashAttention || tensor.kind === 'rope') return UNASSIGNED;
  for (const source of tensor.sources) {
    if (!source.isWeight) continue;
    const device = source.home ?? cpu;
    return device === cpu && cpu > 0 && isTakenOver(tensor, offload) ? 0 : device;
  }
  return UNASSIGNED;
}

function isTakenOver(tensor: Tensor, offload: OffloadRules): boolean {
  if (tensor.op === Op.GetRows) return false;
  if (tensor.op === Op.MatMul) {
    const byExpert = tensor.sources.length === 3;
    return (byExpert ? tensor.ne2 : tensor.ne1) >= offload.minBatch;
  }
  return !offload.onlyProducts && tensor.ne1 * tensor.ne2 * tensor.ne3 >= offload.minBatch;
}

/** Gives each unassigned node the device of the node before it. With `gpuOnly`, this device is never the CPU. */
function expand(nodes: readonly Tensor[], cpu: number, gpuOnly: boolean): void {
  let current = UNASSIGNED;
  for (const node of nodes) {
    if (node.op === Op.View) continue;
    if (node.device !== UNASSIGNED) {
      current = gpuOnly && node.device === cpu ? UNASSIGNED : node.device;
    } else if (current !== UNASSIGNED) node.device = current;
  }
}

function settleViews(nodes: readonly Tensor[], cpu: number): void {
  for (const node of nodes) {
    if (node.viewOf !== null && node.device === UNASSIGNED) node.device = node.viewOf.device;
    for (const source of node.sources) {
      if (source.device !== UNASSIGNED) continue;
      source.device = source.viewOf === null ? node.device : source.viewOf.device;
    }
    if (node.device === UNASSIGNED) node.device = cpu;
  }
}

function insertCopies(
  nodes: readonly Tensor[],
  order: (split: Split) => readonly Tensor[],
): Tensor[] {
  const result: Tensor[] = [];
  let split: Split | null = null;
  for (const node of nodes) {
    if (node.op === Op.View) {
      (split === null ? result : split.nodes).push(node);
      continue;
    }
    if (split === null || split.device !== node.device || startsAnew(node, split)) {
      if (split !== null) flush(split, order, result);
      split = { device: node.device, inputs: [], nodes: split === null ? result.splice(0) : [] };
    }
    replaceForeignSources(node, split);
    split.nodes.push(node);
  }
  if (split !== null) flush(split, order, result);
  return result;
}

/** Consecutive operations on one device, and the tensors that they need from other devices. */
interface Split {
  readonly device: number;
  readonly inputs: { readonly original: Tensor; readonly copy: Tensor }[];
  readonly nodes: Tensor[];
}

/** A split with copies ends before a weight of another device, so that the memory of earlier copies is freed. */
function startsAnew(node: Tensor, split: Split): boolean {
  if (split.inputs.length === 0) return false;
  for (const source of node.sources) {
    if (source.isWeight && source.device !== split.device) return true;
  }
  return false;
}

function replaceForeignSources(node: Tensor, split: Split): void {
  const { sources: before } = node;
  let sources: Tensor[] | null = null;
  for (let j = 0; j < before.length; j += 1) {
    const source = before[j];
    if (source === undefined || source.device === split.device) continue;
    let copy = source.copies?.find(({ device }) => device === split.device);
    if (copy === undefined) {
      copy = copyOf(source, split.device);
      (source.copies ??= []).push(copy);
      split.inputs.push({ original: source, copy });
    }
    sources ??= [...before];
    sources[j] = copy;
  }
  if (sources !== null) node.sources = sources;
}

function flush(split: Split, order: (split: Split) => readonly Tensor[], result: Tensor[]): void {
  for (const { original, copy } of split.inputs) {
    const owner = original.viewOf ?? original;
    if (owner.home === null) result.push(keep(original, owner));
    result.push(copy);
  }
  for (const node of order(split)) result.push(node);
}

/** A node that keeps the memory of a tensor of the graph until the copy is made. */
function keep(original: Tensor, owner: Tensor): Tensor {
  const { type, ne0, ne1, ne2, ne3 } = original;
  const keeper = new Tensor(type, ne0, ne1, ne2, ne3, Op.None, [original], owner, null);
  keeper.device = original.device;
  return keeper;
}

function copyOf(source: Tensor, device: number): Tensor {
  const { type, ne0, ne1, ne2, ne3 } = source;
  const copy = new Tensor(type, ne0, ne1, ne2, ne3, Op.None, [], null, null);
  copy.nb0 = source.nb0;
  copy.nb1 = source.nb1;
  copy.nb2 = source.nb2;
  copy.nb3 = source.nb3;
  const first =
    type.blockElements === 1
      ? type.blockBytes + (ne0 - 1) * source.nb0
      : (ne0 * source.nb0) / type.blockElements;
  copy.spanBytes = first + (ne1 - 1) * source.nb1 + (ne2 - 1) * source.nb2 + (ne3 - 1) * source.nb3;
  copy.device = device;
  return copy;
}
