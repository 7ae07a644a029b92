import { Op, type Tensor } from './tensor.js';

/** Nodes in the order in which they run, and what they stand on; ggml_build_forward_expand in ggml.c. */
export class Graph {
  readonly nodes: Tensor[] = [];
  readonly leaves: Tensor[] = [];

  /** Adds a tensor and everything that it needs and that is not there yet. */
  expand(tensor: Tensor): void {
    if (tensor.visited) return;
    tensor.visited = true;
    const { sources } = tensor;
    for (let i = 0; i < sources.length; i += 1) {
      const source = sources[i] as Tensor;
      if (!source.visited) this.expand(source);
    }
    if (tensor.op === Op.None) this.leaves.push(tensor);
    else this.nodes.push(tensor);
  }
}
