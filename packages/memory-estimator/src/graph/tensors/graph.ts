import { Op, type Tensor } from './tensor.js';

/** A compute graph. Source: ggml_build_forward_expand in ggml.c. */
export class Graph {
  /** Tensors that are computed, in order. */
  readonly nodes: Tensor[] = [];
  /** Weights, caches and inputs. */
  readonly leaves: Tensor[] = [];

  /** Adds a tensor and everything that it depends on, unless it was added before. */
  expand(tensor: Tensor): void {
    if (tensor.visited) return;
    tensor.visited = true;
    for (const source of tensor.sources) if (!source.visited) this.expand(source);
    if (tensor.op === Op.None) this.leaves.push(tensor);
    else this.nodes.push(tensor);
  }
}
