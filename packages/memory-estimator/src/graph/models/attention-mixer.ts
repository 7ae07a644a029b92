import { Attention } from '../layers/attention.js';
import type { DecoderRules } from './decoder-rules.js';
import type { Mixer } from './decoder.js';
import type { GraphContext } from '../layers/graph-context.js';
import { inPlace, input, multiply, reshape, rope } from '../tensors/ops.js';
import { F32, type Tensor } from '../tensors/tensor.js';

/** The usual attention layer: projections, norms, rotation, attention. */
export function attentionMixer(
  context: GraphContext,
  rules: DecoderRules,
  attention = new Attention(context, { softCapped: rules.softCapsScores }),
): Mixer {
  const positions = context.positions(rules.positions);
  const temperature =
    (context.index.metadata.number('attention.temperature_scale') ?? 0) === 0
      ? null
      : input(F32, 1, 1, context.tokens);
  return (il, normed) => {
    const flat = rules.queryKeyNorm === 'flat';
    const { q, k, v } = attention.project(il, normed, { flat });
    const rotates = rotatesIn(context, rules, il);
    const prepare = (x: Tensor, name: string, length: number, heads: number): Tensor => {
      let result = x;
      const weight = rules.queryKeyNorm === 'none' ? null : context.weightOrNull(il, name);
      if (weight !== null) result = context.norm(result, weight, rules.norm);
      if (flat) result = reshape(result, length, heads, context.tokens);
      return rotates ? rope(result, positions, context.ropeFactors(il)) : result;
    };
    let query = prepare(q, 'attn_q_norm', context.keyLength(il), context.heads(il));
    const key = prepare(k, 'attn_k_norm', context.keyLength(il), context.kvHeads(il));
    const value = flat
      ? reshape(v, context.valueLength(il), context.kvHeads(il), context.tokens)
      : v;
    if (temperature !== null) query = multiply(query, temperature);
    if (rules.scalesQuery) query = inPlace(query);
    return attention.attend(il, query, key, value, {
      output: context.weight(il, 'attn_output'),
      outputBias: context.biasOrNull(il, 'attn_output'),
      sinks: context.weightOrNull(il, 'attn_sinks'),
    });
  };
}

function rotatesIn(context: GraphContext, rules: DecoderRules, il: number): boolean {
  const { window } = context.model;
  switch (rules.rope) {
    case 'all':
      return true;
    case 'none':
      return false;
    case 'windowed':
      return window === null || window.layers[il] === true;
    case 'not-each-fourth':
      return (il + 1) % 4 !== 0;
    case 'if-finetuned':
      return context.index.metadata.boolean('rope.scaling.finetuned') ?? true;
  }
}
