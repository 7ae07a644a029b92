import type { GgufHeader } from '../gguf/gguf-header.js';
import { projectorType } from '../gguf/projector-type.js';

/**
 * How the tokens of an image attend to each other; `none` without a projector. Non-causal is in both directions, so the
 * engine computes an image in one step.
 */
export type ImageAttention = 'none' | 'causal' | 'non-causal';

/** Types of projectors in `mtmd_decode_use_non_causal` of tools/mtmd/mtmd.cpp. */
const NON_CAUSAL: ReadonlySet<unknown> = new Set(['gemma3', 'gemma4v', 'gemma4uv']);

/** How the tokens of a projector's images attend to each other. */
export function imageAttentionOf(projector: GgufHeader): Exclude<ImageAttention, 'none'> {
  return NON_CAUSAL.has(projectorType(projector)) ? 'non-causal' : 'causal';
}
