import type { GgufHeader, GgufTensor } from '../gguf/gguf-header.js';
import { tensorTypeLayout } from '../gguf/tensor-types.js';
import { keyWidthOf, valueWidthOf, type Hyperparameters } from './hyperparameters.js';
import type { TensorGroup, TensorGroups } from './tensor-groups.js';

/**
 * Whether the tensors have the widths that the metadata states. If the widths differ, a key is missing or wrong.
 * llama.cpp then refuses the file, and figures from the metadata are unreliable.
 */
export function agreesWithTensors(
  model: Hyperparameters,
  shared: TensorGroups,
  layers: readonly TensorGroups[],
): boolean {
  const embedding = shared.get('token_embd')?.weight ?? null;
  if (embedding !== null && embedding.shape[0] !== model.embedding) return false;
  return layers
    .slice(0, model.layers)
    .every(
      (tensors, il) =>
        (model.attention[il] !== true || attentionAgrees(model, tensors, il)) &&
        (model.recurrent[il] !== true || stateSpaceAgrees(model, tensors)),
    );
}

function attentionAgrees(model: Hyperparameters, tensors: TensorGroups, il: number): boolean {
  const keys = keyWidthOf(model, il);
  // Latent attention caches the output of its first projection. For old files, the output is unpacked before it is
  // cached, and keys are as wide as queries.
  if (model.latent !== null) return hasRows(tensors.get('attn_kv_a_mqa'), keys);
  if (model.architecture.latentAttention)
    return hasRows(
      tensors.get('attn_q') ?? tensors.get('attn_q_b'),
      model.keyLength * (model.heads[il] ?? 0),
    );
  if (keys === 0 && tensors.has('attn_qkv')) return false;
  return (
    hasRows(tensors.get('attn_k'), keys) && hasRows(tensors.get('attn_v'), valueWidthOf(model, il))
  );
}

function stateSpaceAgrees({ stateSpace }: Hyperparameters, tensors: TensorGroups): boolean {
  const convolution = tensors.get('ssm_conv1d')?.weight ?? null;
  if (convolution === null) return true;
  if (stateSpace === null) return false;
  const { convKernel, innerSize, groupCount, stateSize, timeStepRank } = stateSpace;
  const timeStep = tensors.get('ssm_dt');
  return (
    convolution.shape[0] === convKernel &&
    convolution.shape[1] === innerSize + 2 * groupCount * stateSize &&
    // Mamba 1 has a matrix here. Later versions have only a bias for each head.
    (timeStep?.weight !== null || timeStep.bias?.shape[0] === timeStepRank)
  );
}

function hasRows(group: TensorGroup | undefined, rows: number): boolean {
  const weight = group?.weight ?? null;
  return weight === null || rowsOf(weight) === rows;
}

function rowsOf({ shape }: GgufTensor): number {
  return shape[1] ?? 1;
}

/** Whether every tensor of the model is described, with a type whose size is known. */
export function describesAllWeights({ metadata, tensors }: GgufHeader): boolean {
  const expected = metadata.get('split.tensors.count');
  return (
    (typeof expected !== 'number' || expected === tensors.length) &&
    tensors.every(({ type }) => tensorTypeLayout(type) !== null)
  );
}
