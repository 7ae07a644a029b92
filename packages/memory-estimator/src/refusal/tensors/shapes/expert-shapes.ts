import type { ModelIndex } from '../../../architecture/model-index.js';
import type { TensorGroups } from '../../../architecture/tensor-groups.js';
import type { GgufTensor } from '../../../gguf/gguf-header.js';
import { unlike } from './unlike.js';

/**
 * A tensor of a network of experts with another shape than llama.cpp expects; `null` without one. The width of the experts may
 * be stated in any of the keys that architectures read.
 */
export function wrongExperts(
  { model, metadata }: ModelIndex,
  tensors: TensorGroups,
  il: number,
): GgufTensor | null {
  const down = tensors.get('ffn_down_exps')?.weight ?? null;
  // Experts may work on a narrower projection of the embedding.
  if (model === null || down === null || (metadata.number('moe_latent_size') ?? 0) > 0) return null;
  const { embedding, experts, expertsUsed, layersInFile } = model;
  const width = down.shape[0] ?? 1;
  const dense = metadata.perLayer('feed_forward_length', layersInFile)?.[il] ?? 0;
  const stated = metadata.number('expert_feed_forward_length');
  const used = expertsUsed[il] ?? 0;
  const widths = [stated, dense, used > 0 ? Math.floor(dense / used) : null];
  if (!widths.includes(width)) return down;
  const shared = tensors.get('ffn_down_shexp')?.weight?.shape[0] ?? null;
  return (
    unlike(tensors, 'ffn_down_exps', [width, embedding, experts]) ??
    unlike(tensors, 'ffn_gate_inp', [embedding, experts]) ??
    unlike(tensors, 'ffn_up_exps', [embedding, width, experts]) ??
    unlike(tensors, 'ffn_gate_exps', [embedding, width, experts]) ??
    unlike(tensors, 'ffn_gate_up_exps', [embedding, 2 * width, experts]) ??
    unlike(tensors, 'ffn_gate_shexp', [embedding, shared]) ??
    unlike(tensors, 'ffn_up_shexp', [embedding, shared]) ??
    unlike(tensors, 'ffn_down_shexp', [shared, embedding])
  );
}

/** A tensor of latent attention with another shape than llama.cpp expects; `null` without one. */
export function wrongLatent(
  { model, metadata }: ModelIndex,
  tensors: TensorGroups,
): GgufTensor | null {
  if (model === null || !tensors.has('attn_kv_a_mqa')) return null;
  const queries = metadata.number('attention.q_lora_rank');
  const keys = metadata.number('attention.kv_lora_rank');
  const { embedding } = model;
  return (
    unlike(tensors, 'attn_q_a', [embedding, queries]) ??
    unlike(tensors, 'attn_q_a_norm', [queries]) ??
    unlike(tensors, 'attn_q_b', [queries, null]) ??
    unlike(tensors, 'attn_kv_a_norm', [keys]) ??
    unlike(tensors, 'attn_kv_b', [keys, null]) ??
    unlike(tensors, 'attn_k_b', [null, keys, null]) ??
    unlike(tensors, 'attn_v_b', [keys, null, null])
  );
}
