import { Op, type NodeKind, type Tensor } from '../tensors/tensor.js';

/** How many nodes ahead the back end looks for a node that can run early. */
const WINDOW = 20;
const FOLLOWER_WINDOW = 15;
const STORE_WINDOW = 10;

/**
 * The order in which the Vulkan back end runs the nodes of a split. Nodes that can run early are moved
 * forward, and nodes that are fused into one kernel stay together. Memory is packed in this order. Source:
 * ggml_vk_graph_optimize in ggml-vulkan.cpp.
 */
export function reorderForVulkan(nodes: readonly Tensor[]): readonly Tensor[] {
  // The back end does not reorder fewer than three nodes.
  return nodes.length < 3 ? nodes : new Reordering(nodes).run();
}

const CHOOSE_EXPERTS = ['sort', 'view', 'get-rows'] as const;
const NORMALIZE = ['reshape', 'sum-rows', 'clamp', 'divide', 'reshape'] as const;

/**
 * Sequences of steps that are fused into one kernel and stay in place. They store a rotated key (observed in the
 * reservations of v0.5.0) or choose experts. The first match counts.
 */
const PATTERNS: readonly (readonly [Step, ...Step[]])[] = [
  ['rms-norm', 'multiply', 'rope', 'view', 'set-rows'],
  ['rope', 'view', 'set-rows'],
  ['soft-max', 'reshape', ...CHOOSE_EXPERTS, ...NORMALIZE],
  ['unary', 'reshape', 'add', ...CHOOSE_EXPERTS, ...NORMALIZE],
  ['soft-max', 'reshape', ...CHOOSE_EXPERTS],
  [...CHOOSE_EXPERTS, 'reshape', 'soft-max', 'reshape'],
];

const PATTERNS_BY_START = new Map<Step, readonly (readonly Step[])[]>(
  PATTERNS.map(([start]) => [start, PATTERNS.filter(([other]) => other === start)]),
);

type Step = NodeKind | 'get-rows' | 'product' | 'product-by-id';

/** Pairs of steps that are fused into one kernel, so that the second step may follow the first directly. */
const FUSED: readonly (readonly [Step, Step])[] = [
  ['rms-norm', 'multiply'],
  ['product', 'add'],
  ['product-by-id', 'add-by-id'],
  ['product-by-id', 'multiply'],
  ['add', 'add'],
];

function stepOf({ op, kind, sources }: Tensor): Step {
  if (op === Op.MatMul) return sources.length === 3 ? 'product-by-id' : 'product';
  return op === Op.GetRows ? 'get-rows' : kind;
}

class Reordering {
  readonly #nodes: readonly Tensor[];
  readonly #steps: readonly Step[];
  /** For each node, the index of the previous node with the same memory; -1 if there is no previous node. */
  readonly #previous: readonly number[];
  readonly #used: boolean[];
  readonly #order: Tensor[] = [];
  readonly #placed = new Set<Tensor>();
  #first = 0;

  constructor(nodes: readonly Tensor[]) {
    this.#nodes = nodes;
    this.#steps = nodes.map(stepOf);
    this.#previous = previousOfMemory(nodes);
    this.#used = nodes.map(() => false);
  }

  run(): readonly Tensor[] {
    while (this.#first < this.#nodes.length) {
      const pattern = this.#patternAt(this.#first);
      if (pattern === null) this.#place(this.#nextSet());
      else this.#place(pattern.map((_, i) => this.#first + i));
    }
    return this.#order;
  }

  /** Appends nodes to the order. */
  #place(set: readonly number[]): void {
    for (const i of set) {
      const node = this.#node(i);
      this.#order.push(node);
      this.#placed.add(node);
      this.#used[i] = true;
    }
    while (this.#used[this.#first] === true) this.#first += 1;
  }

  #patternAt(start: number): readonly Step[] | null {
    const step = this.#steps[start];
    const candidates = step === undefined ? undefined : PATTERNS_BY_START.get(step);
    return candidates?.find((steps) => this.#matches(steps, start)) ?? null;
  }

  #matches(steps: readonly Step[], start: number): boolean {
    return steps.every(
      (step, i) => this.#steps[start + i] === step && this.#used[start + i] === false,
    );
  }

  /** The next node and the nodes that can run beside it: first nodes that compute, then views. */
  #nextSet(): readonly number[] {
    const first = this.#first;
    const end = Math.min(first + WINDOW, this.#nodes.length);
    const set = [first];
    for (let j = first + 1; j < end; j += 1) {
      if (this.#used[j] === true || this.#isView(j)) continue;
      if (this.#patternAt(j) !== null) continue;
      if (!this.#canRun(j, set)) continue;
      set.push(j);
      this.#addFollowers(j, set);
    }
    // A view between two additions would prevent their fusion.
    if (this.#steps[set.at(-1) ?? first] === 'add') return set;
    for (let j = first + 1; j < end; j += 1) {
      if (this.#used[j] === true || !this.#isView(j)) continue;
      if (this.#canView(j, set)) set.push(j);
    }
    return set;
  }

  #node(i: number): Tensor {
    const node = this.#nodes[i];
    if (node === undefined) throw new RangeError(`No node ${i}.`);
    return node;
  }

  #isView(i: number): boolean {
    return this.#node(i).op === Op.View;
  }

  /** Whether each dependency of a node has run, or is the last node of the set and fuses with this node. */
  #canRun(j: number, set: readonly number[]): boolean {
    return this.#everyOpenDependency(j, (c) => {
      if (j !== c + 1 || c !== set.at(-1)) return false;
      const [before, after] = [this.#steps[c], this.#steps[j]];
      return FUSED.some(([one, two]) => one === before && two === after);
    });
  }

  /** Whether every node that a view depends on has run or is in the set. */
  #canView(j: number, set: readonly number[]): boolean {
    return this.#everyOpenDependency(j, (c) => set.includes(c));
  }

  /** Whether a condition holds for all dependencies of a node that have not run. */
  #everyOpenDependency(j: number, holds: (c: number) => boolean): boolean {
    for (const source of this.#node(j).sources) {
      const c = source.position;
      if (this.#nodes[c] === source && this.#used[c] === false && !holds(c)) return false;
    }
    for (let c = this.#previous[j] ?? -1; c >= this.#first; c = this.#previous[c] ?? -1) {
      if (this.#used[c] === false && !holds(c)) return false;
    }
    return true;
  }

  /** Adds the nodes that are fused with a node that was moved forward. */
  #addFollowers(j: number, set: number[]): void {
    const before = this.#steps[j - 1];
    const step = this.#steps[j];
    let rope = j;
    if (step === 'multiply' && before === 'rms-norm') {
      const found = this.#find(j, 'rope', (node) => {
        return node.sources[0] === this.#nodes[j] && node.sources[1]?.op === Op.None;
      });
      if (found !== null) {
        rope = found;
        this.#take(found, set);
      }
    }
    if (this.#steps[rope] === 'rope') this.#addStore(rope, set);
    const fromHere = ({ sources: [operand, other] }: Tensor) =>
      operand === this.#nodes[j] && other !== undefined && this.#isReady(other);
    if (step === 'add-by-id' && before === 'product-by-id')
      this.#takeFound(this.#find(j, 'multiply', fromHere), set);
    if (step === 'add' && before === 'product')
      this.#takeFound(this.#find(j, 'add', fromHere), set);
  }

  /** Adds the nodes that store a rotated key. */
  #addStore(rope: number, set: number[]): void {
    const end = Math.min(rope + STORE_WINDOW, this.#nodes.length);
    let view = -1;
    for (let k = rope + 1; k < end; k += 1) {
      const [source] = this.#node(k).sources;
      if (view === -1) {
        if (this.#steps[k] === 'view' && source === this.#nodes[rope]) view = k;
      } else if (this.#steps[k] === 'set-rows' && source === this.#nodes[view]) {
        this.#take(view, set);
        this.#take(k, set);
        return;
      }
    }
  }

  #find(j: number, step: Step, isIt: (node: Tensor) => boolean): number | null {
    const end = Math.min(j + FOLLOWER_WINDOW, this.#nodes.length);
    for (let k = j + 1; k < end; k += 1) {
      if (this.#steps[k] === step && isIt(this.#node(k))) return k;
    }
    return null;
  }

  #takeFound(found: number | null, set: number[]): void {
    if (found !== null) this.#take(found, set);
  }

  #take(i: number, set: number[]): void {
    set.push(i);
    this.#used[i] = true;
  }

  #isReady(tensor: Tensor): boolean {
    return tensor.op === Op.None || this.#placed.has(tensor);
  }
}

/**
 * For each node, the index of the previous node with the same memory, or -1. Also sets the position of each
 * node.
 */
function previousOfMemory(nodes: readonly Tensor[]): readonly number[] {
  const last = new Map<Tensor, number>();
  return nodes.map((node, i) => {
    node.position = i;
    const owner = node.viewOf ?? node;
    const previous = last.get(owner) ?? -1;
    last.set(owner, i);
    return previous;
  });
}
