import type { GgufHeader, GgufTensor } from '../gguf/gguf-header.js';
import type { Hyperparameters } from './hyperparameters.js';
import { layerOf } from './tensor-groups.js';

/** Input embeddings. llama.cpp keeps them on the CPU (LLM_TENSOR_LAYER_INPUT in llama-arch.cpp). */
const INPUT_TENSORS = new Set([
  'token_embd.weight',
  'position_embd.weight',
  'token_types.weight',
  'per_layer_token_embd.weight',
]);

/** Weights that run after the last layer (LLM_TENSOR_LAYER_OUTPUT). */
const OUTPUT_TENSORS =
  /^(output|output_norm|cls|cls\.output|cls\.norm|dense_2|dense_3|altup_proj|altup_unembd_proj)\.(weight|bias)$/;

const EXPERTS = /\.ffn_(up|down|gate|gate_up)_(ch|)exps\.(weight|bias)$/;

/** A weight, and the part of the model that it belongs to according to its name. */
interface IndexedWeight {
  readonly tensor: GgufTensor;
  readonly place: 'input' | 'layer' | 'output';
  /** 0 outside of layers. */
  readonly layer: number;
  readonly isExpert: boolean;
}

/** The weights of a model, sorted once for all estimates of it. */
export interface WeightIndex {
  readonly tensors: readonly IndexedWeight[];
  /** The token embedding, if it is also the output matrix. */
  readonly tied: GgufTensor | null;
  readonly layers: number;
}

function placeOutside(name: string): IndexedWeight['place'] {
  if (INPUT_TENSORS.has(name)) return 'input';
  return OUTPUT_TENSORS.test(name) ? 'output' : 'layer';
}

/** Sorts the weights of a model by their names. */
export function indexWeights(header: GgufHeader, model: Hyperparameters | null): WeightIndex {
  const layers = model?.layersInFile ?? 0;
  const tensors: IndexedWeight[] = [];
  for (const tensor of header.tensors) {
    const il = layerOf(tensor.name);
    // llama.cpp does not load the layers for multi-token prediction.
    if (model !== null && il !== null && il >= model.layers && il < layers) continue;
    const place = il === null ? placeOutside(tensor.name) : 'layer';
    tensors.push({ tensor, place, layer: il ?? 0, isExpert: EXPERTS.test(tensor.name) });
  }
  const hasOutput = header.tensors.some(({ name }) => name === 'output.weight');
  const embedding = header.tensors.find(({ name }) => name === 'token_embd.weight');
  return { tensors, tied: hasOutput ? null : (embedding ?? null), layers };
}
