import type { DecoderRules } from './decoder-rules.js';
import { expertFeedForward, feedForward, sharedExpert } from '../layers/feed-forward.js';
import type { GraphContext } from '../layers/graph-context.js';
import { add, inPlace } from '../tensors/ops.js';
import type { Tensor } from '../tensors/tensor.js';

/**
 * Mixes the tokens in a layer by attention, by a recurrent state or by both. `normed` is `input` after the layer's
 * first norm.
 */
export type Mixer = (il: number, normed: Tensor, input: Tensor) => Tensor;

/** Builds the graph of a decoder: embedding, layers with `mix`, last norm and logits. */
export function buildDecoder(context: GraphContext, rules: DecoderRules, mix: Mixer): void {
  let hidden = embed(context, rules);
  for (const il of context.layers.indices) {
    hidden = buildLayer(context, rules, mix, il, hidden);
    context.layers.done(il, hidden);
  }
  buildHead(context, rules, hidden);
}

/** The token embeddings, scaled if the model scales them. */
function embed(context: GraphContext, rules: DecoderRules): Tensor {
  let hidden = context.inputEmbedding();
  if ((context.index.metadata.number('embedding_scale') ?? 0) !== 0) hidden = inPlace(hidden);
  context.graph.expand(hidden);
  return rules.scalesEmbedding ? inPlace(hidden) : hidden;
}

function buildLayer(
  context: GraphContext,
  rules: DecoderRules,
  mix: Mixer,
  il: number,
  input: Tensor,
): Tensor {
  const isLast = il === context.model.layers - 1;
  const normed = rules.normsInput ? normOf(context, rules, il, 'attn_norm', input) : input;
  let mixed = mix(il, normed, input);
  let residual = input;
  let feed = normed;
  if (isLast && rules.dropsRows === 'before-residual') {
    mixed = context.outputRows(mixed);
    residual = context.outputRows(residual);
    if (rules.parallel) feed = context.outputRows(feed);
  }
  if (rules.parallel) {
    const output = feedForward(context, il, feed, rules.gating);
    return add(add(output, residual), mixed);
  }
  if (rules.normsAttention) mixed = normOf(context, rules, il, 'post_attention_norm', mixed);
  mixed = scaleResidual(context, mixed);
  let sum = add(mixed, residual);
  if (isLast && rules.dropsRows === 'after-residual') sum = context.outputRows(sum);
  if (!hasFeedForward(context, il)) return sum;
  const inner =
    rules.feedForwardNorm === null ? sum : normOf(context, rules, il, rules.feedForwardNorm, sum);
  let output = feedForwardOf(context, rules, il, inner);
  if (rules.normsFeedForward) output = normOf(context, rules, il, 'post_ffw_norm', output);
  output = scaleResidual(context, output);
  return rules.residualFirst ? add(sum, output) : add(output, sum);
}

/** Adds the last norm and the logits. */
export function buildHead(context: GraphContext, rules: DecoderRules, last: Tensor): void {
  let hidden = last;
  if (rules.hiddenOutput === 'before-norm') hidden.isOutput = true;
  if (rules.dropsRows === 'at-the-end') hidden = context.outputRows(hidden);
  hidden = context.norm(
    hidden,
    context.sharedOrNull('output_norm') ?? context.sharedOrNull('token_embd_norm'),
    rules.norm,
    context.sharedBias('output_norm'),
  );
  if (rules.hiddenOutput === 'after-norm') hidden.isOutput = true;
  if (rules.dropsRows === 'after-norm') hidden = context.outputRows(hidden);
  hidden.isOutput = true;
  let logits = context.linear(hidden, context.outputWeight(), context.sharedBias('output'));
  const steps = logitSteps(context, rules);
  for (let i = 0; i < steps; i += 1) logits = inPlace(logits);
  logits.isOutput = true;
  context.graph.expand(logits);
}

/** Number of operations on the logits. */
function logitSteps(context: GraphContext, rules: DecoderRules): number {
  const { metadata } = context.index;
  switch (rules.logits) {
    case 'plain':
      return 0;
    case 'scaled':
      return 1;
    case 'scaled-if-set':
      return (metadata.number('logit_scale') ?? 0) === 0 ? 0 : 1;
    case 'soft-capped':
      return 3;
    case 'soft-capped-if-set':
      return (metadata.number('final_logit_softcapping') ?? 0) === 0 ? 0 : 3;
  }
}

function feedForwardOf(context: GraphContext, rules: DecoderRules, il: number, x: Tensor): Tensor {
  if (!context.has(il, 'ffn_gate_inp')) return feedForward(context, il, x, rules.gating);
  const routed = expertFeedForward(context, il, x, rules.experts);
  if (rules.sharedExpert === 'none' || !context.has(il, 'ffn_up_shexp')) return routed;
  const gate = rules.sharedExpert === 'plain' ? 'none' : rules.sharedExpert;
  return add(routed, sharedExpert(context, il, x, gate));
}

function hasFeedForward(context: GraphContext, il: number): boolean {
  return context.has(il, 'ffn_up') || context.has(il, 'ffn_gate_inp');
}

function scaleResidual(context: GraphContext, x: Tensor): Tensor {
  return (context.index.metadata.number('residual_scale') ?? 0) === 0 ? x : inPlace(x);
}

function normOf(
  context: GraphContext,
  rules: DecoderRules,
  il: number,
  name: string,
  x: Tensor,
): Tensor {
  return context.norm(x, context.weightOrNull(il, name), rules.norm, context.biasOrNull(il, name));
}
