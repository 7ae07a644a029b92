import { Attention } from '../layers/attention.js';
import type { Mixer } from './decoder.js';
import { GraphUnavailableError, type GraphContext } from '../layers/graph-context.js';
import {
  concat,
  contiguous,
  input,
  matMul,
  multiply,
  repeat,
  reshape,
  rope,
  swapHeads,
  view,
} from '../tensors/ops.js';
import { F32, type Tensor } from '../tensors/tensor.js';

/**
 * DeepSeek's latent attention. For files with `attn_k_b` and `attn_v_b`, the latent vector is cached. For old
 * files, with `attn_kv_b`, the unpacked keys and values are cached. Source: src/models/deepseek2.cpp.
 */
export function latentAttentionMixer(context: GraphContext): Mixer {
  const { model, tokens } = context;
  const { metadata } = context.index;
  const attention = new Attention(context);
  const positions = context.positions();
  const rank = metadata.count('attention.kv_lora_rank');
  const ropeLength = metadata.count('rope.dimension_count') ?? model.keyLength;
  if (rank === null)
    throw new GraphUnavailableError('the header does not state attention.kv_lora_rank');
  const keyLength = model.latent?.keyLength ?? model.keyLength;
  const valueLength = model.latent?.valueLength ?? model.valueLength;
  const plainLength = keyLength - ropeLength;
  const temperature =
    (metadata.number('attention.temperature_scale') ?? 0) === 0 ? null : input(F32, 1, 1, tokens);

  const queryOf = (il: number, x: Tensor): Tensor => {
    const direct = context.weightOrNull(il, 'attn_q');
    if (direct !== null) return matMul(direct, x);
    const narrow = matMul(context.weight(il, 'attn_q_a'), x);
    return matMul(
      context.weight(il, 'attn_q_b'),
      context.norm(narrow, context.weight(il, 'attn_q_a_norm')),
    );
  };

  return (il, x) => {
    const heads = context.heads(il);
    const output = context.weight(il, 'attn_output');
    const q = reshape(queryOf(il, x), keyLength, heads, tokens);
    const compressed = matMul(context.weight(il, 'attn_kv_a_mqa'), x);
    const row = compressed.nb1;
    const latent = context.norm(
      view(compressed, [rank, tokens], [row]),
      context.weight(il, 'attn_kv_a_norm'),
    );
    const rotatedKey = rope(view(compressed, [ropeLength, 1, tokens], [row, row]), positions);
    if (model.latent !== null) {
      const plain = view(q, [plainLength, heads, tokens], [q.nb1, q.nb2]);
      const rotated = rope(view(q, [ropeLength, heads, tokens], [q.nb1, q.nb2]), positions);
      const absorbed = swapHeads(matMul(context.weight(il, 'attn_k_b'), swapHeads(plain)));
      let query = concat(absorbed, rotated, 0);
      const value = reshape(latent, rank, 1, tokens);
      const key = concat(value, rotatedKey, 0);
      if (temperature !== null) query = multiply(query, temperature);
      return attention.attend(il, query, key, value, {
        output,
        latentValues: context.weight(il, 'attn_v_b'),
      });
    }
    const kv = matMul(context.weight(il, 'attn_kv_b'), latent);
    const headBytes = (plainLength + valueLength) * kv.nb0;
    const part = (length: number) =>
      view(kv, [length, heads, tokens], [headBytes, headBytes * heads]);
    const plainKey = part(plainLength);
    const value = contiguous(part(valueLength));
    let query = rope(q, positions);
    const key = concat(plainKey, repeat(rotatedKey, ropeLength, heads, tokens), 0);
    if (temperature !== null) query = multiply(query, temperature);
    return attention.attend(il, query, key, value, { output });
  };
}
