import type { StateSpace } from '../../architecture/state-space.js';
import { copyInto, getRows, input, reshape, view, writeInto } from '../tensors/ops.js';
import { I32, type Tensor } from '../tensors/tensor.js';
import { GraphUnavailableError, type GraphContext } from './graph-context.js';

/** The recurrent states of the sequences. Source: build_rs in llama-graph.cpp. */
export class RecurrentState {
  readonly #context: GraphContext;
  /** Indices of the states that are loaded. */
  readonly #main: Tensor;
  readonly #extra: Tensor;

  constructor(context: GraphContext) {
    this.#context = context;
    const { sequences } = context.shape;
    const copies = input(I32, sequences);
    this.#main = view(copies, [sequences]);
    // The graph is reserved as if all states were in use, so no unused states are copied.
    this.#extra = view(copies, [0]);
  }

  /**
   * Loads the states of a layer.
   *
   * @param gather The operation that reads the states. Default: copying their rows.
   */
  load(
    cache: Tensor,
    size: number,
    gather: (states: Tensor, ids: Tensor) => Tensor = (states, ids) => getRows(states, ids),
  ): Tensor {
    const { graph, shape } = this.#context;
    const states = reshape(cache, size, shape.sequences);
    const zeroed = view(states, [size]);
    graph.expand(writeInto(zeroed, [zeroed]));
    const loaded = gather(states, this.#main);
    graph.expand(loaded);
    const extra = getRows(states, this.#extra);
    graph.expand(copyInto(view(cache, [size, 0], [cache.nb1]), extra));
    return loaded;
  }
}

/**
 * The sizes of state-space layers.
 *
 * @throws GraphUnavailableError where the header does not state them.
 */
export function stateSpaceOf(context: GraphContext): StateSpace {
  const { stateSpace } = context.model;
  if (stateSpace === null)
    throw new GraphUnavailableError(
      'the header does not state the sizes of its state-space layers',
    );
  return stateSpace;
}
