import type { GgufHeader } from '../gguf/gguf-header.js';
import { projectorType } from '../gguf/projector-type.js';

/** The tensor at the end of a projector, and its dimension that is the projector's width, by the type of the projector. */
const LAST_TENSORS: Readonly<Record<string, readonly [name: string, dimension: number]>> = {
  mlp: ['mm.2.weight', 1],
  gemma3: ['mm.input_projection.weight', 0],
};

/**
 * The numbers in the vector of a token: of the vectors that a model takes, or that a projector (mmproj) gives. llama.cpp refuses a
 * projector whose width is not that of the model (`mtmd_context` in tools/mtmd/mtmd.cpp).
 *
 * @returns `null` where the width is not known: for projectors of types that were not compared with llama.cpp, and for models that
 *   take more than the vector of the token.
 */
export function embeddingWidth(header: GgufHeader): number | null {
  const { architecture, metadata, tensors } = header;
  if (architecture !== 'clip') {
    const width = metadata.get(`${architecture ?? ''}.embedding_length`);
    const takesMore = metadata.has(`${architecture ?? ''}.n_deepstack_layers`);
    return typeof width === 'number' && !takesMore ? width : null;
  }
  const type = projectorType(header) ?? 'mlp';
  const [name, dimension = 0] = (typeof type === 'string' ? LAST_TENSORS[type] : null) ?? [];
  return tensors.find((tensor) => tensor.name === name)?.shape[dimension] ?? null;
}
