import type { ModelIndex } from '../../architecture/model-index.js';
import { printable } from '../../gguf/bytes/checked-reader.js';
import type { GgufTensor } from '../../gguf/gguf-header.js';
import { layerPlanOf } from './plans/layer-plans.js';
import type { ModelRefusal } from '../model-refusal.js';

/** Types that ggml multiplies with no matrix: intermediate results, whole numbers and F64. */
const NO_MATRIX = new Set(['Q8_1', 'Q8_K', 'I8', 'I16', 'I32', 'I64', 'F64']);
/** Tensors that are added or multiplied element by element. */
const VECTORS = /norm(_\d)?\.weight$|\.bias$|^rope_/;
/** Types of a vector that some back ends add or multiply, but not the CPU. */
const HALVES = new Set(['F16', 'BF16']);

/**
 * A tensor of a type with which llama.cpp aborts when it runs the model; `null` without one. A norm, a bias or a factor must be
 * F32, a matrix may be quantized. Each type was tried with build 10257 of llama.cpp on a CPU.
 *
 * @param onCpu - also refuse half precision in vectors, which only a CPU refuses
 */
export function findUnusableType(
  { header, model }: ModelIndex,
  { onCpu }: { readonly onCpu: boolean },
): ModelRefusal | null {
  // Other architectures may have tables of whole numbers.
  if (model === null || layerPlanOf(model.architecture.name) === null) return null;
  const found = header.tensors.find((tensor) => isUnusable(tensor, onCpu));
  return found === undefined
    ? null
    : {
        code: 'TENSOR_TYPE',
        reason: `its tensor "${printable(found.name)}" has the type ${found.typeName}, with which llama.cpp aborts`,
      };
}

function isUnusable({ name, typeName }: GgufTensor, onCpu: boolean): boolean {
  // Most tensors, and cheaper to tell than by their names.
  if (typeName === 'F32' || (!onCpu && HALVES.has(typeName))) return false;
  if (VECTORS.test(name)) return true;
  return name.endsWith('.weight') && NO_MATRIX.has(typeName);
}
