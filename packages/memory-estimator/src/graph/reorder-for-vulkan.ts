import { Op, type NodeKind, type Tensor } from './tensor.js';

/** How far ahead the back end looks for work that can start already. */
const WINDOW = 20;
const FOLLOWER_WINDOW = 15;
const STORE_WINDOW = 10;

/**
 * The order in which the Vulkan back end runs the nodes of a split: what can start already is drawn forward,
 * what runs as one stays together. Memory is packed in this order. Source: ggml_vk_graph_optimize in
 * ggml-vulkan.cpp.
 */
export function reorderForVulkan(nodes: readonly Tensor[]): readonly Tensor[] {
  // Of two, neither can pass the other.
  return nodes.length < 3 ? nodes : new Reordering(nodes).run();
}

const CHOOSE_EXPERTS = ['sort', 'view', 'get-rows'] as const;
const NORMALIZE = ['reshape', 'sum-rows', 'clamp', 'divide', 'reshape'] as const;

/**
 * Nodes that run as one and stay where they are: those that store a rotated key (seen in what v0.5.0 reserves),
 * and those that choose experts. The first that matches counts.
 */
const PATTERNS: readonly (readonly Step[])[] = [
  ['rms-norm', 'multiply', 'rope', 'view', 'set-rows'],
  ['rope', 'view', 'set-rows'],
  ['soft-max', 'reshape', ...CHOOSE_EXPERTS, ...NORMALIZE],
  ['unary', 'reshape', 'add', ...CHOOSE_EXPERTS, ...NORMALIZE],
  ['soft-max', 'reshape', ...CHOOSE_EXPERTS],
  [...CHOOSE_EXPERTS, 'reshape', 'soft-max', 'reshape'],
];

const PATTERNS_BY_START = new Map<Step, readonly (readonly Step[])[]>(
  PATTERNS.map(([start]) => [start as Step, PATTERNS.filter(([other]) => other === start)]),
);

type Step = NodeKind | 'get-rows' | 'product' | 'product-by-id';

/** Pairs of which the second may follow the first at once: they run as one. */
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
  /** The node before that looks at the same memory; -1: there is none. */
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

  #place(set: readonly number[]): void {
    for (const i of set) {
      const node = this.#nodes[i] as Tensor;
      this.#order.push(node);
      this.#placed.add(node);
      this.#used[i] = true;
    }
    while (this.#used[this.#first] === true) this.#first += 1;
  }

  #patternAt(start: number): readonly Step[] | null {
    const candidates = PATTERNS_BY_START.get(this.#steps[start] as Step);
    return candidates?.find((steps) => this.#matches(steps, start)) ?? null;
  }

  #matches(steps: readonly Step[], start: number): boolean {
    return steps.every(
      (step, i) => this.#steps[start + i] === step && this.#used[start + i] === false,
    );
  }

  /** The next node, and all that can run beside it: first what computes, then the views. */
  #nextSet(): readonly number[] {
    const first = this.#first;
    const end = Math.min(first + WINDOW, this.#nodes.length);
    const set = [first];
    for (let j = first + 1; j < end; j += 1) {
      if (this.#used[j] === true || this.#isView(j)) continue;
      if (this.#patternAt(j) !== null) continue;
      if (!this.#canStart(j, set)) continue;
      set.push(j);
      this.#drawAlong(j, set);
    }
    // A view in between would keep two additions from running as one.
    if (this.#steps[set.at(-1) as number] === 'add') return set;
    for (let j = first + 1; j < end; j += 1) {
      if (this.#used[j] === true || !this.#isView(j)) continue;
      if (this.#canLook(j, set)) set.push(j);
    }
    return set;
  }

  #isView(i: number): boolean {
    return (this.#nodes[i] as Tensor).op === Op.View;
  }

  /** Whether nothing that has not run yet stands before it, but for what it runs as one with. */
  #canStart(j: number, set: readonly number[]): boolean {
    return this.#everyOpen(j, (c) => {
      if (j !== c + 1 || c !== set.at(-1)) return false;
      const [before, after] = [this.#steps[c], this.#steps[j]];
      return FUSED.some(([one, two]) => one === before && two === after);
    });
  }

  /** Whether all that a view looks at has run, or is about to. */
  #canLook(j: number, set: readonly number[]): boolean {
    return this.#everyOpen(j, (c) => set.includes(c));
  }

  /** Whether something holds for each node that has not run yet and that one depends on. */
  #everyOpen(j: number, holds: (c: number) => boolean): boolean {
    const { sources } = this.#nodes[j] as Tensor;
    for (let i = 0; i < sources.length; i += 1) {
      const source = sources[i] as Tensor;
      const c = source.position;
      if (this.#nodes[c] === source && this.#used[c] === false && !holds(c)) return false;
    }
    for (let c = this.#previous[j] as number; c >= this.#first; c = this.#previous[c] as number) {
      if (this.#used[c] === false && !holds(c)) return false;
    }
    return true;
  }

  /** What belongs to a node that was drawn forward comes along, right behind it. */
  #drawAlong(j: number, set: number[]): void {
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
    if (this.#steps[rope] === 'rope') this.#drawStore(rope, set);
    const fromHere = (node: Tensor) =>
      node.sources[0] === this.#nodes[j] && this.#isReady(node.sources[1] as Tensor);
    if (step === 'add-by-id' && before === 'product-by-id')
      this.#takeFound(this.#find(j, 'multiply', fromHere), set);
    if (step === 'add' && before === 'product')
      this.#takeFound(this.#find(j, 'add', fromHere), set);
  }

  /** A rotated key is stored at once. */
  #drawStore(rope: number, set: number[]): void {
    const end = Math.min(rope + STORE_WINDOW, this.#nodes.length);
    let view = -1;
    for (let k = rope + 1; k < end; k += 1) {
      const [source] = (this.#nodes[k] as Tensor).sources;
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
      if (this.#steps[k] === step && isIt(this.#nodes[k] as Tensor)) return k;
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

/** For each node the one before that looks at the same memory, or -1; nodes learn their positions. */
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
