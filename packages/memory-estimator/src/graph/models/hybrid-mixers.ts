import { Attention } from '../layers/attention.js';
import type { DecoderRules } from './decoder-rules.js';
import type { Mixer } from './decoder.js';
import type { GraphContext } from '../layers/graph-context.js';
import { add, contiguous2d, matMul, multiply, reshape, rope, unary, view } from '../tensors/ops.js';
import { deltaNet } from '../layers/delta-net.js';
import { mamba, mamba2 } from '../layers/mamba.js';
import { RecurrentState } from '../layers/recurrent-state.js';
import { attentionMixer } from './attention-mixer.js';

/** A state-space model: no layer has attention. */
export function recurrentMixer(context: GraphContext): Mixer {
  const state = new RecurrentState(context);
  const layer = context.model.architecture.name === 'mamba' ? mamba : mamba2;
  return (il, normed) => layer(context, state, il, normed);
}

/** Each layer has either attention or a state (Granite hybrid). */
export function alternatingMixer(context: GraphContext, rules: DecoderRules): Mixer {
  const attend = attentionMixer(context, rules);
  const state = new RecurrentState(context);
  return (il, normed, input) =>
    context.model.recurrent[il] === true
      ? mamba2(context, state, il, normed)
      : attend(il, normed, input);
}

/** Every layer has both attention and a state, which have the same input and separate norms (Falcon-H1). */
export function doubleMixer(context: GraphContext, rules: DecoderRules): Mixer {
  const attend = attentionMixer(context, rules);
  const state = new RecurrentState(context);
  return (il, normed, input) => {
    const attended = attend(il, normed, input);
    const again = context.norm(input, context.weight(il, 'attn_norm'));
    return add(attended, mamba2(context, state, il, again));
  };
}

/** Most layers are gated delta nets. The others have gated attention (Qwen3-Next, Qwen3.5). */
export function deltaNetMixer(context: GraphContext, rules: DecoderRules): Mixer {
  const attention = new Attention(context);
  const state = new RecurrentState(context);
  const positions = context.positions(rules.positions);
  const { tokens } = context;
  return (il, normed) => {
    context.graph.expand(normed);
    if (context.model.recurrent[il] === true) return deltaNet(context, state, il, normed);
    const length = context.keyLength(il);
    const heads = context.heads(il);
    const kvHeads = context.kvHeads(il);
    const projected = attention.project(il, normed, { queryWidth: 2 * length, flat: true });
    const both =
      context.model.architecture.name === 'qwen3next'
        ? reshape(projected.q, 2 * length, heads, tokens)
        : projected.q;
    const headBytes = 2 * length * both.nb0;
    const half = () => view(both, [length, heads, tokens], [headBytes, headBytes * heads]);
    const [rawQuery, rawGate] = [half(), half()];
    const key = reshape(projected.k, length, kvHeads, tokens);
    const value = reshape(projected.v, length, kvHeads, tokens);
    const query = rope(context.norm(rawQuery, context.weight(il, 'attn_q_norm')), positions);
    const rotatedKey = rope(context.norm(key, context.weight(il, 'attn_k_norm')), positions);
    const attended = attention.attend(il, query, rotatedKey, value, { output: null });
    const gate = unary(contiguous2d(rawGate, length * heads, tokens));
    return matMul(context.weight(il, 'attn_output'), multiply(attended, gate));
  };
}
