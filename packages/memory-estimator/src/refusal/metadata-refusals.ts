import { printable } from '../gguf/bytes/checked-reader.js';
import type { ModelRefusal } from './model-refusal.js';

/** The refusal of a model whose metadata lacks a key that llama.cpp needs. */
export function missingKey(key: string): ModelRefusal {
  return { code: 'METADATA_MISSING', reason: `its metadata lacks ${printable(key)}` };
}

/** The refusal of a model whose metadata contradicts itself or the tensors. */
export function contradiction(reason: string): ModelRefusal {
  return { code: 'METADATA_CONTRADICTORY', reason };
}
