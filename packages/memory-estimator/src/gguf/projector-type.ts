import type { GgufHeader } from './gguf-header.js';

/** The type of a projector (mmproj), such as `gemma3`, by which llama.cpp chooses its graph. Undefined where the header has none. */
export function projectorType({ metadata }: GgufHeader): unknown {
  return metadata.get('clip.projector_type') ?? metadata.get('clip.vision.projector_type');
}
