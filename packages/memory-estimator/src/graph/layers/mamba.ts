// Layers of Mamba. Source: src/models/mamba-base.cpp.
import {
  compute,
  concat,
  contiguous,
  copyInto,
  gatedSplit,
  inPlace,
  matMul,
  reshape,
  transpose,
  view,
} from '../tensors/ops.js';
import { F32, type Tensor } from '../tensors/tensor.js';
import type { GraphContext } from './graph-context.js';
import { stateSpaceOf, type RecurrentState } from './recurrent-state.js';

/** A layer of Mamba 2. */
export function mamba2(
  context: GraphContext,
  state: RecurrentState,
  il: number,
  x: Tensor,
): Tensor {
  const { graph, sequenceTokens, shape } = context;
  const { sequences } = shape;
  const ssm = stateSpaceOf(context);
  const { convKernel, innerSize, stateSize, timeStepRank: heads, groupCount: groups } = ssm;
  const headSize = innerSize / heads;
  const channels = innerSize + 2 * groups * stateSize;
  const rollingCache = context.stateCache(il, context.model.rollingStateSize);
  const stateCache = context.stateCache(il, context.model.recurrentStateSize);

  const rolling = state.load(rollingCache, context.model.rollingStateSize);
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

  const convolved = convolve(context, il, conv, xbc, rollingCache);
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
  const scanned = state.load(stateCache, context.model.recurrentStateSize, (states, ids) =>
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

/** A layer of the first version of Mamba. */
export function mamba(context: GraphContext, state: RecurrentState, il: number, x: Tensor): Tensor {
  const { graph, sequenceTokens, shape } = context;
  const { sequences } = shape;
  const { convKernel, innerSize, stateSize, timeStepRank } = stateSpaceOf(context);
  const rollingCache = context.stateCache(il, context.model.rollingStateSize);
  const stateCache = context.stateCache(il, context.model.recurrentStateSize);
  const rolling = state.load(rollingCache, context.model.rollingStateSize);
  const conv = reshape(rolling, convKernel - 1, innerSize, sequences);
  const projected = matMul(
    context.weight(il, 'ssm_in'),
    reshape(x, x.ne0, sequenceTokens, sequences),
  );
  const half = () =>
    view(projected, [innerSize, projected.ne1, projected.ne2], [projected.nb1, projected.nb2]);
  const [left, z] = [half(), half()];
  const convolved = convolve(context, il, conv, left, rollingCache);
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
  const scanned = state.load(stateCache, context.model.recurrentStateSize, (states, ids) =>
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

/** Joins the stored columns and the new columns, convolves them, and stores the last columns. */
function convolve(
  context: GraphContext,
  il: number,
  conv: Tensor,
  x: Tensor,
  rollingCache: Tensor,
): Tensor {
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
