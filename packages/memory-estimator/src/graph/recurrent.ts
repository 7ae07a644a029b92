import type { StateSpace } from '../architecture/state-space.js';
import { GraphUnavailableError, type GraphContext } from './graph-context.js';
import {
  compute,
  concat,
  contiguous,
  contiguous3d,
  copyInto,
  gatedSplit,
  getRows,
  inPlace,
  input,
  matMul,
  repeat,
  reshape,
  transpose,
  view,
  writeInto,
} from './ops.js';
import { F32, I32, type Tensor } from './tensor.js';

/** Layers with a recurrent state: build_rs in llama-graph.cpp, mamba-base.cpp, delta-net-base.cpp. */
export class RecurrentState {
  readonly #context: GraphContext;
  readonly #main: Tensor;
  readonly #extra: Tensor;

  constructor(context: GraphContext) {
    this.#context = context;
    const { sequences } = context.shape;
    const copies = input(I32, sequences);
    this.#main = view(copies, [sequences]);
    // All states are in use when the graph is reserved, so that none are left to copy along.
    this.#extra = view(copies, [0]);
  }

  /** Loads the states of a layer, through `gather` where the states go straight into an operation. */
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

  /** A Mamba-2 layer. */
  mamba2(il: number, x: Tensor): Tensor {
    const context = this.#context;
    const { graph, sequenceTokens, shape } = context;
    const { sequences } = shape;
    const ssm = stateSpaceOf(context);
    const { convKernel, innerSize, stateSize, timeStepRank: heads, groupCount: groups } = ssm;
    const headSize = innerSize / heads;
    const channels = innerSize + 2 * groups * stateSize;
    const rollingCache = context.stateCache(il, context.model.rollingStateSize);
    const stateCache = context.stateCache(il, context.model.recurrentStateSize);

    const rolling = this.load(rollingCache, context.model.rollingStateSize);
    const conv = reshape(rolling, convKernel - 1, channels, sequences);
    const flat = matMul(context.weight(il, 'ssm_in'), x);
    const projected = reshape(flat, flat.ne0, sequenceTokens, sequences);
    const { nb0, nb1, nb2 } = projected;
    const z = view(
      projected,
      [headSize, heads, sequenceTokens, sequences],
      [headSize * nb0, nb1, nb2],
    );
    const xbc = view(projected, [channels, sequenceTokens, sequences], [nb1, nb2]);
    const rawStep = view(projected, [heads, sequenceTokens, sequences], [nb1, nb2]);

    const convolved = this.#convolve(il, conv, xbc, rollingCache);
    const activated = inPlace(inPlace(convolved, context.bias(il, 'ssm_conv1d')));

    const byHead = (width: number, count: number) =>
      view(
        activated,
        [width, count, sequenceTokens, sequences],
        [width * activated.nb0, activated.nb1, activated.nb2],
      );
    const values = byHead(headSize, heads);
    const keys = byHead(stateSize, groups);
    const queries = byHead(stateSize, groups);
    const step = inPlace(contiguous(rawStep), context.bias(il, 'ssm_dt'));
    const decay = context.weight(il, 'ssm_a');
    const scanned = this.load(stateCache, context.model.recurrentStateSize, (states, ids) =>
      compute(
        F32,
        [
          reshape(states, stateSize, headSize, heads, sequences),
          values,
          step,
          decay,
          keys,
          queries,
          ids,
        ],
        values.elements + stateSize * headSize * heads * ids.ne0,
      ),
    );
    const stateElements = stateSize * innerSize;
    graph.expand(
      copyInto(
        view(stateCache, [stateElements, sequences, 1], [stateCache.nb1]),
        view(scanned, [stateElements, sequences, 1]),
      ),
    );
    const seen = view(
      scanned,
      [headSize, heads, sequenceTokens, sequences],
      [values.nb1, heads * values.nb1, sequenceTokens * heads * values.nb1],
    );
    let y = inPlace(seen, inPlace(values, context.weight(il, 'ssm_d')));
    y = gatedSplit(contiguous(z), y);
    const norm = context.weightOrNull(il, 'ssm_norm');
    if (norm !== null)
      y = context.norm(reshape(y, innerSize / groups, groups, sequenceTokens, sequences), norm);
    return matMul(context.weight(il, 'ssm_out'), reshape(y, innerSize, sequenceTokens * sequences));
  }

  /** A Mamba layer of the first generation. */
  mamba(il: number, x: Tensor): Tensor {
    const context = this.#context;
    const { graph, sequenceTokens, shape } = context;
    const { sequences } = shape;
    const { convKernel, innerSize, stateSize, timeStepRank } = stateSpaceOf(context);
    const rollingCache = context.stateCache(il, context.model.rollingStateSize);
    const stateCache = context.stateCache(il, context.model.recurrentStateSize);
    const rolling = this.load(rollingCache, context.model.rollingStateSize);
    const conv = reshape(rolling, convKernel - 1, innerSize, sequences);
    const projected = matMul(
      context.weight(il, 'ssm_in'),
      reshape(x, x.ne0, sequenceTokens, sequences),
    );
    const half = () =>
      view(projected, [innerSize, projected.ne1, projected.ne2], [projected.nb1, projected.nb2]);
    const [left, z] = [half(), half()];
    const convolved = this.#convolve(il, conv, left, rollingCache);
    const activated = inPlace(inPlace(convolved, context.bias(il, 'ssm_conv1d')));
    const mixed = matMul(context.weight(il, 'ssm_x'), activated);
    const rawStep = view(mixed, [timeStepRank, sequenceTokens, sequences], [mixed.nb1, mixed.nb2]);
    const group = () =>
      view(
        mixed,
        [stateSize, 1, sequenceTokens, sequences],
        [stateSize * mixed.nb0, mixed.nb1, mixed.nb2],
      );
    const stepNorm = context.weightOrNull(il, 'ssm_dt_norm');
    const normed =
      context.index.metadata.boolean('ssm.dt_b_c_rms') === true ||
      (stepNorm !== null && context.has(il, 'ssm_b_norm') && context.has(il, 'ssm_c_norm'));
    const maybeNorm = (part: Tensor, name: string) =>
      normed ? context.norm(part, context.weightOrNull(il, name)) : part;
    const narrow = normed ? context.norm(rawStep, stepNorm) : contiguous(rawStep);
    const keys = maybeNorm(group(), 'ssm_b_norm');
    const queries = maybeNorm(group(), 'ssm_c_norm');
    const step = inPlace(matMul(context.weight(il, 'ssm_dt'), narrow), context.bias(il, 'ssm_dt'));
    const values = reshape(activated, 1, innerSize, sequenceTokens, sequences);
    const scanned = this.load(stateCache, context.model.recurrentStateSize, (states, ids) =>
      compute(
        F32,
        [
          reshape(states, stateSize, 1, innerSize, sequences),
          values,
          step,
          context.weight(il, 'ssm_a'),
          keys,
          queries,
          ids,
        ],
        values.elements + stateSize * innerSize * ids.ne0,
      ),
    );
    const stateElements = stateSize * innerSize * sequences;
    graph.expand(copyInto(view(stateCache, [stateElements]), view(scanned, [stateElements])));
    const seen = view(scanned, [innerSize, sequenceTokens, sequences], [values.nb2, values.nb3]);
    let y = inPlace(seen, inPlace(activated, context.weight(il, 'ssm_d')));
    y = gatedSplit(contiguous(z), y);
    const out = matMul(context.weight(il, 'ssm_out'), y);
    return reshape(out, out.ne0, sequenceTokens * sequences);
  }

  #convolve(il: number, conv: Tensor, x: Tensor, rollingCache: Tensor): Tensor {
    const context = this.#context;
    const { sequences } = context.shape;
    const joined = concat(conv, transpose(x), 0);
    const last = view(joined, [conv.ne0, conv.ne1, sequences], [joined.nb1, joined.nb2]);
    context.graph.expand(
      copyInto(view(rollingCache, [conv.ne0 * conv.ne1, sequences], [rollingCache.nb1]), last),
    );
    return compute(
      F32,
      [joined, context.weight(il, 'ssm_conv1d')],
      joined.ne1,
      context.sequenceTokens,
      sequences,
    );
  }

  /** The gated delta net of Qwen3-Next and Qwen3.5. */
  deltaNet(il: number, x: Tensor): Tensor {
    const context = this.#context;
    const { graph, sequenceTokens, shape } = context;
    const { sequences } = shape;
    const ssm = stateSpaceOf(context);
    const { innerSize, stateSize, groupCount: keyHeads, timeStepRank: valueHeads } = ssm;
    const valueSize = innerSize / valueHeads;
    const channels = innerSize + 2 * keyHeads * stateSize;
    const { mixed, z } = this.#projectDelta(il, x, ssm);
    const { beta, gate } = this.#deltaGates(il, x, ssm);

    const rollingCache = context.stateCache(il, context.model.rollingStateSize);
    const stateCache = context.stateCache(il, context.model.recurrentStateSize);
    const rolling = this.load(rollingCache, context.model.rollingStateSize);
    const conv = reshape(rolling, ssm.convKernel - 1, channels, sequences);
    const joined = concat(conv, transpose(mixed), 0);
    graph.expand(
      copyInto(
        view(rollingCache, [conv.ne0 * conv.ne1, sequences], [rollingCache.nb1]),
        view(joined, [conv.ne0, conv.ne1, sequences], [joined.nb1, joined.nb2]),
      ),
    );
    const loaded = this.load(stateCache, context.model.recurrentStateSize);
    const state = reshape(loaded, valueSize, valueSize, valueHeads, sequences);
    const kernel = context.weight(il, 'ssm_conv1d');
    const activated = inPlace(
      compute(F32, [joined, kernel], joined.ne1, sequenceTokens, sequences),
    );
    const row = activated.nb1;
    const part = (width: number, count: number) =>
      view(
        activated,
        [width, count, sequenceTokens, sequences],
        [width * activated.nb0, row, row * sequenceTokens],
      );
    let queries = inPlace(inPlace(part(stateSize, keyHeads)));
    let keys = inPlace(inPlace(part(stateSize, keyHeads)));
    const values = part(valueSize, valueHeads);
    if (keyHeads !== valueHeads) {
      const all = sequenceTokens * sequences;
      const times = valueHeads / keyHeads;
      const spread = (heads: Tensor) =>
        context.model.architecture.name === 'qwen3next'
          ? reshape(
              repeat(reshape(heads, stateSize, 1, keyHeads, all), stateSize, times, keyHeads, all),
              stateSize,
              valueHeads,
              sequenceTokens,
              sequences,
            )
          : heads;
      queries = spread(queries);
      keys = spread(keys);
    }
    const result = compute(
      F32,
      [queries, keys, values, gate, beta, state],
      valueSize * valueHeads,
      sequenceTokens * sequences + valueSize * sequences,
    );
    const output = view(
      result,
      [valueSize, valueHeads, sequenceTokens, sequences],
      [valueSize * 4, valueSize * valueHeads * 4, valueSize * valueHeads * sequenceTokens * 4],
    );
    const newState = view(result, [valueSize, valueSize, valueHeads, sequences]);
    graph.expand(
      copyInto(
        view(stateCache, [context.model.recurrentStateSize, sequences], [stateCache.nb1]),
        newState,
      ),
    );
    const normed = context.norm(output, context.weight(il, 'ssm_norm'));
    const gated = inPlace(
      normed,
      inPlace(reshape(z, valueSize, valueHeads, sequenceTokens, sequences)),
    );
    const final = reshape(gated, valueSize * valueHeads, sequenceTokens, sequences);
    const out = matMul(context.weight(il, 'ssm_out'), final);
    return reshape(out, context.model.embedding, sequenceTokens * sequences);
  }

  #projectDelta(il: number, x: Tensor, ssm: StateSpace): { mixed: Tensor; z: Tensor } {
    const context = this.#context;
    const { sequenceTokens: tokens, shape } = context;
    const { sequences } = shape;
    const fused = context.weightOrNull(il, 'attn_qkv');
    if (fused !== null) {
      const mixed = matMul(fused, x);
      return {
        mixed: reshape(mixed, mixed.ne0, tokens, sequences),
        z: matMul(context.weight(il, 'attn_gate'), x),
      };
    }
    const { innerSize, stateSize, groupCount: keyHeads, timeStepRank: valueHeads } = ssm;
    const valueSize = (innerSize / valueHeads) * (valueHeads / keyHeads);
    const all = reshape(
      matMul(context.weight(il, 'ssm_in'), x),
      2 * stateSize + 2 * valueSize,
      keyHeads,
      tokens,
      sequences,
    );
    const part = (width: number) =>
      view(all, [width, keyHeads, tokens, sequences], [all.nb1, all.nb2, all.nb3]);
    const [q, k, v] = [part(stateSize), part(stateSize), part(valueSize)];
    const z = contiguous(part(valueSize));
    const flat = (heads: Tensor) => contiguous3d(heads, heads.ne0 * keyHeads, tokens, sequences);
    return { mixed: concat(concat(flat(q), flat(k), 0), flat(v), 0), z };
  }

  #deltaGates(il: number, x: Tensor, ssm: StateSpace): { beta: Tensor; gate: Tensor } {
    const context = this.#context;
    const { sequenceTokens: tokens, shape } = context;
    const { sequences } = shape;
    const { groupCount: keyHeads, timeStepRank: valueHeads } = ssm;
    const merged = context.weightOrNull(il, 'ssm_ba');
    let beta: Tensor;
    let alpha: Tensor;
    if (merged !== null) {
      const share = valueHeads / keyHeads;
      const both = reshape(matMul(merged, x), 2 * share, keyHeads, tokens, sequences);
      const half = () =>
        view(both, [share, keyHeads, tokens, sequences], [both.nb1, both.nb2, both.nb3]);
      const [b, a] = [half(), half()];
      beta = inPlace(contiguous(b));
      alpha = contiguous3d(a, valueHeads, tokens, sequences);
    } else {
      beta = inPlace(matMul(context.weight(il, 'ssm_beta'), x));
      alpha = reshape(matMul(context.weight(il, 'ssm_alpha'), x), valueHeads, tokens, sequences);
    }
    const biased = inPlace(alpha, context.bias(il, 'ssm_dt'));
    const gate = inPlace(inPlace(biased), context.weight(il, 'ssm_a'));
    return {
      beta: reshape(beta, 1, valueHeads, tokens, sequences),
      gate: reshape(gate, 1, valueHeads, tokens, sequences),
    };
  }
}

function stateSpaceOf(context: GraphContext): StateSpace {
  const { stateSpace } = context.model;
  if (stateSpace === null) throw new GraphUnavailableError('the model names no state-space sizes');
  return stateSpace;
}
