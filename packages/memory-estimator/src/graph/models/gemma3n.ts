import { Attention } from '../layers/attention.js';
import type { GraphContext } from '../layers/graph-context.js';
import {
  compute,
  concat,
  contiguous,
  contiguous3d,
  getRows,
  inPlace,
  input,
  matMul,
  repeat,
  reshape,
  strided,
  sumRows,
  swapHeads,
  transpose,
  view,
} from '../tensors/ops.js';
import { buildHead } from './decoder.js';
import type { DecoderRules } from './decoder-rules.js';
import { F32, I32, type Tensor } from '../tensors/tensor.js';

/** Parallel streams of the hidden state (AltUp). */
const STREAMS = 4;
/** Number of layers at the start whose activations are made sparse. */
const SPARSE_LAYERS = 10;

/** Gemma 3n: four streams of the hidden state, and an embedding for each layer. Source: src/models/gemma3n.cpp. */
export function buildGemma3n(context: GraphContext, rules: DecoderRules): void {
  let hidden = inPlace(context.inputEmbedding());
  const attention = new Attention(context);
  const positions = context.positions();
  const perLayer = perLayerInputs(context, hidden);
  hidden = spreadStreams(context, hidden);
  for (const il of context.layers.indices) {
    hidden = buildLayer(context, attention, positions, perLayer, il, hidden);
    context.layers.done(il, hidden);
  }
  buildHead(context, rules, mergeStreams(context, hidden));
}

function perLayerInputs(context: GraphContext, hidden: Tensor): Tensor {
  const { tokens, model } = context;
  const table = context.shared('per_layer_token_embd');
  const width = table.ne0 / model.layers;
  const selected = inPlace(
    reshape(getRows(table, input(I32, tokens)), width, model.layers, tokens),
  );
  context.graph.expand(selected);
  const projected = reshape(
    inPlace(matMul(context.shared('per_layer_model_proj'), hidden)),
    width,
    model.layers,
    tokens,
  );
  const normed = context.norm(projected, context.shared('per_layer_proj_norm'));
  return contiguous(swapHeads(inPlace(inPlace(normed, selected))));
}

function spreadStreams(context: GraphContext, hidden: Tensor): Tensor {
  const { embedding } = context.model;
  const target = magnitude(hidden);
  const copies = repeat(hidden, embedding, context.tokens, STREAMS - 1);
  const projected = matMul(context.shared('altup_proj'), copies);
  const scaled = inPlace(inPlace(projected, target), magnitude(projected));
  return concat(hidden, scaled, 2);
}

function mergeStreams(context: GraphContext, hidden: Tensor): Tensor {
  const { embedding } = context.model;
  const target = magnitude(slice(hidden));
  const others = view(hidden, [embedding, context.tokens, STREAMS - 1]);
  const projected = matMul(context.shared('altup_unembd_proj'), others);
  const scaled = inPlace(inPlace(projected, target), magnitude(projected));
  let merged: Tensor = slice(hidden);
  for (let i = 0; i < STREAMS - 1; i += 1) merged = inPlace(merged, slice(scaled));
  return context.outputRows(inPlace(merged));
}

function buildLayer(
  context: GraphContext,
  attention: Attention,
  positions: Tensor,
  perLayer: Tensor,
  il: number,
  input: Tensor,
): Tensor {
  const weight = (name: string) => context.weight(il, name);
  const predictions = predict(context, il, input);
  const active = slice(predictions);
  const normed = context.norm(active, weight('attn_norm'));
  const low = matMul(weight('laurel_r'), matMul(weight('laurel_l'), normed));
  const laurel = inPlace(context.norm(low, weight('laurel_post_norm')), normed);
  let x = attend(context, attention, positions, il, normed);
  x = inPlace(context.norm(x, weight('post_attention_norm')), active);
  const sum = inPlace(inPlace(x, laurel));
  x = context.norm(sum, weight('ffn_norm'));
  const up = matMul(weight('ffn_up'), x);
  let gate = matMul(weight('ffn_gate'), x);
  if (il < SPARSE_LAYERS) gate = sparsify(gate);
  x = matMul(weight('ffn_down'), inPlace(up, inPlace(gate)));
  const output = inPlace(context.norm(x, weight('post_ffw_norm')), sum);
  const corrected = correct(context, il, predictions, output);
  let first = inPlace(slice(corrected), weight('altup_correct_scale'));
  first = inPlace(matMul(weight('inp_gate'), first));
  first = inPlace(first, slice(perLayer));
  first = context.norm(matMul(weight('proj'), first), weight('post_norm'));
  const rest = view(corrected, [context.model.embedding, context.tokens, STREAMS - 1]);
  return concat(slice(corrected), inPlace(rest, first), 2);
}

function attend(
  context: GraphContext,
  attention: Attention,
  positions: Tensor,
  il: number,
  x: Tensor,
): Tensor {
  const output = context.weight(il, 'attn_output');
  const norm = (part: Tensor, name: string) => context.norm(part, context.weight(il, name));
  if (context.model.attention[il] === true) {
    const { q, k, v } = attention.project(il, x);
    const query = inPlace(norm(q, 'attn_q_norm'), positions);
    const key = inPlace(norm(k, 'attn_k_norm'), positions);
    return attention.attend(il, query, key, inPlace(v), { output });
  }
  // The last layers read the cache of an earlier layer.
  const q = reshape(
    matMul(context.weight(il, 'attn_q'), x),
    context.keyLength(il),
    context.heads(il),
    context.tokens,
  );
  return attention.attend(il, inPlace(norm(q, 'attn_q_norm'), positions), null, null, { output });
}

function predict(context: GraphContext, il: number, hidden: Tensor): Tensor {
  const { embedding } = context.model;
  const modalities = route(context, il, slice(hidden));
  const coefficients = reshape(
    matMul(context.weight(il, 'altup_predict_coef'), modalities),
    STREAMS,
    STREAMS,
    context.tokens,
  );
  const permuted = contiguous(
    strided(
      hidden,
      [STREAMS, embedding, context.tokens, 1],
      [hidden.nb2, hidden.nb0, hidden.nb1, hidden.nb3],
    ),
  );
  const predictions = matMul(permuted, coefficients);
  const restored = contiguous(
    strided(
      predictions,
      [predictions.ne0, predictions.ne2, predictions.ne1, 1],
      [predictions.nb0, predictions.nb2, predictions.nb1, predictions.nb3],
    ),
  );
  return inPlace(restored, hidden);
}

function correct(context: GraphContext, il: number, predictions: Tensor, output: Tensor): Tensor {
  const { embedding } = context.model;
  const { tokens } = context;
  const modalities = route(context, il, output);
  const innovation = inPlace(output, slice(predictions));
  const raw = matMul(context.weight(il, 'altup_correct_coef'), modalities);
  const coefficients = contiguous3d(transpose(inPlace(raw)), 1, tokens, STREAMS);
  const copies = repeat(innovation, embedding, tokens, STREAMS);
  return inPlace(inPlace(copies, coefficients), predictions);
}

function route(context: GraphContext, il: number, x: Tensor): Tensor {
  const normed = context.norm(x, context.weight(il, 'altup_router_norm'));
  return inPlace(matMul(context.weight(il, 'altup_router'), inPlace(normed)));
}

/** Sets the activations below a cutoff to zero. */
function sparsify(x: Tensor): Tensor {
  const mean = compute(F32, [x], 1, x.ne1, x.ne2, x.ne3);
  const deviation = inPlace(inPlace(sumRows(inPlace(inPlace(x, mean)))));
  const cutoff = inPlace(mean, inPlace(deviation));
  return inPlace(inPlace(x, cutoff));
}

function magnitude(x: Tensor): Tensor {
  return inPlace(sumRows(inPlace(x)));
}

/** The first stream of a tensor with several streams. */
function slice(x: Tensor): Tensor {
  return view(x, [x.ne0, x.ne1]);
}
