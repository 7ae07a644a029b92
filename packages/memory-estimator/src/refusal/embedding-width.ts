import type { GgufHeader } from '../gguf/gguf-header.js';
import { projectorType } from '../gguf/projector-type.js';

/**
 * The tensor at the end of a projector, and its dimension that is the projector's width, by the type of the projector. Source:
 * clip_n_mmproj_embd and load_tensors in tools/mtmd/clip.cpp of llama.cpp v0.5.0.
 */
const LAST_TENSORS: Readonly<Record<string, readonly [name: string, dimension: number]>> = {
  mlp: ['mm.2.weight', 1],
  pixtral: ['mm.2.weight', 1],
  qwen2vl_merger: ['mm.2.weight', 1],
  'qwen2.5vl_merger': ['mm.2.weight', 1],
  qwen3vl_merger: ['mm.2.weight', 1],
  gemma3: ['mm.input_projection.weight', 0],
  gemma4v: ['mm.input_projection.weight', 1],
  idefics3: ['mm.model.fc.weight', 1],
  internvl: ['mm.model.mlp.3.weight', 1],
};

/** Architectures whose first layers take vectors of their own from the projector (deepstack). */
const TAKE_DEEPSTACK: ReadonlySet<string | null> = new Set(['qwen3vl', 'qwen3vlmoe']);
const DEEPSTACK = /^v\.deepstack\.\d+\.fc1\.weight$/;

/**
 * The numbers in the vectors of a token: of those that a model takes, or that a projector (mmproj) gives. llama.cpp refuses a
 * projector whose width is not that of the model (`mtmd_context` in tools/mtmd/mtmd.cpp).
 *
 * @returns `null` where the width is not known: for projectors of other types, and for models that may take more than the vector of
 *   the token.
 */
export function embeddingWidth(header: GgufHeader): number | null {
  const { architecture, metadata, tensors } = header;
  if (architecture !== 'clip') {
    const width = metadata.get(`${architecture ?? ''}.embedding_length`);
    const layers = metadata.get(`${architecture ?? ''}.n_deepstack_layers`) ?? 0;
    if (typeof width !== 'number' || typeof layers !== 'number') return null;
    if (TAKE_DEEPSTACK.has(architecture)) return width * (1 + layers);
    const mayTakeMore = layers > 0 || metadata.has(`${architecture ?? ''}.deepstack_mapping`);
    return mayTakeMore ? null : width;
  }
  const type = projectorType(header) ?? 'mlp';
  const [name, dimension = 0] = (typeof type === 'string' ? LAST_TENSORS[type] : null) ?? [];
  const width = tensors.find((tensor) => tensor.name === name)?.shape[dimension];
  if (width === undefined) return null;
  const deepstack =
    type === 'qwen3vl_merger' ? tensors.filter((tensor) => DEEPSTACK.test(tensor.name)).length : 0;
  return width * (1 + deepstack);
}
