// Gated delta net. Source: src/models/delta-net-base.cpp.
import type { StateSpace } from '../../architecture/state-space.js';
import {
  compute,
  concat,
  contiguous,
  contiguous3d,
  copyInto,
  inPlace,
  matMul,
  repeat,
  reshape,
  transpose,
  view,
} from '../tensors/ops.js';
import { F32, type Tensor } from '../tensors/tensor.js';
import type { GraphContext } from './graph-context.js';
import { stateSpaceOf, type RecurrentState } from './recurrent-state.js';

/** A gated delta net layer of Qwen3-Next or Qwen3.5. */
export function deltaNet(
  context: GraphContext,
  recurrent: RecurrentState,
  il: number,
  x: Tensor,
): Tensor {
  const { graph, sequenceTokens, shape } = context;
  const { sequences } = shape;
  const ssm = stateSpaceOf(context);
  const { innerSize, stateSize, groupCount: keyHeads, timeStepRank: valueHeads } = ssm;
  const valueSize = innerSize / valueHeads;
  const channels = innerSize + 2 * keyHeads * stateSize;
  const { mixed, z } = project(context, il, x, ssm);
  const { beta, gate } = gates(context, il, x, ssm);

  const rollingCache = context.stateCache(il, context.model.rollingStateSize);
  const stateCache = context.stateCache(il, context.model.recurrentStateSize);
  const rolling = recurrent.load(rollingCache, context.model.rollingStateSize);
  const conv = reshape(rolling, ssm.convKernel - 1, channels, sequences);
  const joined = concat(conv, transpose(mixed), 0);
  graph.expand(
    copyInto(
      view(rollingCache, [conv.ne0 * conv.ne1, sequences], [rollingCache.nb1]),
      view(joined, [conv.ne0, conv.ne1, sequences], [joined.nb1, joined.nb2]),
    ),
  );
  const loaded = recurrent.load(stateCache, context.model.recurrentStateSize);
  const state = reshape(loaded, valueSize, valueSize, valueHeads, sequences);
  const kernel = context.weight(il, 'ssm_conv1d');
  const activated = inPlace(compute(F32, [joined, kernel], joined.ne1, sequenceTokens, sequences));
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

/** The projections: queries, keys and values in one tensor, and the output gate `z`. */
function project(
  context: GraphContext,
  il: number,
  x: Tensor,
  ssm: StateSpace,
): { mixed: Tensor; z: Tensor } {
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

/** The strength of the update (`beta`) and the decay of the state (`gate`). */
function gates(
  context: GraphContext,
  il: number,
  x: Tensor,
  ssm: StateSpace,
): { beta: Tensor; gate: Tensor } {
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
