import type { GgufHeader, GgufTensor } from '../gguf/gguf-header.js';
import type { Hyperparameters } from '../architecture/hyperparameters.js';
import { type CpuRepack, isRepacked } from './repack.js';

/** Where the weights of a model lie. */
export interface WeightPlacement {
  readonly cpuBytes: number;
  /** By GPU, in the order given. */
  readonly gpuBytes: readonly number[];
  /** A second copy of some CPU weights, laid out for this CPU's kernels. */
  readonly repackBytes: number;
}

/** Which device a layer is on: -1 the CPU, else the index of a GPU. The layer after the last is the output. */
export type DeviceOfLayer = (il: number) => number;

export const CPU = -1;

/** Read row by row, on the CPU whatever is offloaded (LLM_TENSOR_LAYER_INPUT in llama-arch.cpp). */
const INPUT_TENSORS = new Set([
  'token_embd.weight',
  'position_embd.weight',
  'token_types.weight',
  'per_layer_token_embd.weight',
]);

/** Used after the last layer (LLM_TENSOR_LAYER_OUTPUT). */
const OUTPUT_TENSORS =
  /^(output|output_norm|cls|cls\.output|cls\.norm|dense_2|dense_3|altup_proj|altup_unembd_proj)\.(weight|bias)$/;

const LAYER = /^blk\.(\d+)\./;
const EXPERTS = /\.ffn_(up|down|gate|gate_up)_(ch|)exps\.(weight|bias)$/;

/** What decides where weights go. */
export interface WeightRules {
  readonly deviceOfLayer: DeviceOfLayer;
  readonly gpuCount: number;
  /** Experts of the layers below this stay on the CPU. */
  readonly cpuExpertLayers: number;
  /** How the CPU's own weights are repacked. */
  readonly repack: CpuRepack;
}

/** The weights by device: exact sums of the tensors' bytes, as llama.cpp v0.5.0 places them. */
export function placeWeights(
  header: GgufHeader,
  model: Hyperparameters | null,
  rules: WeightRules,
): WeightPlacement {
  const gpuBytes = new Array<number>(rules.gpuCount).fill(0);
  let cpuBytes = 0;
  let repackBytes = 0;
  const add = (tensor: GgufTensor, device: number, multiplied: boolean) => {
    if (device !== CPU) {
      gpuBytes[device] = (gpuBytes[device] ?? 0) + tensor.sizeBytes;
      return;
    }
    cpuBytes += tensor.sizeBytes;
    if (multiplied && isRepacked(tensor, rules.repack)) repackBytes += tensor.sizeBytes;
  };
  const layers = model?.layersInFile ?? 0;
  for (const tensor of header.tensors) {
    const il = layerOf(tensor.name);
    // Layers that predict further tokens are not loaded.
    if (model !== null && il !== null && il >= model.layers && il < layers) continue;
    add(tensor, deviceOf(tensor, il, layers, rules), !INPUT_TENSORS.has(tensor.name));
  }
  const tied = tiedOutput(header);
  if (tied !== null) {
    // The embedding is the output matrix too. On a GPU that is a copy; on the CPU the same bytes serve,
    // but the output's view of them is repacked.
    const device = rules.deviceOfLayer(layers);
    if (device !== CPU) add(tied, device, true);
    else if (isRepacked(tied, rules.repack)) repackBytes += tied.sizeBytes;
  }
  return { cpuBytes, gpuBytes, repackBytes };
}

/** The embedding tensor of a model whose output shares it. */
function tiedOutput(header: GgufHeader): GgufTensor | null {
  let embedding: GgufTensor | null = null;
  for (const tensor of header.tensors) {
    if (tensor.name === 'output.weight') return null;
    if (tensor.name === 'token_embd.weight') embedding = tensor;
  }
  return embedding;
}

function deviceOf(
  tensor: GgufTensor,
  il: number | null,
  layers: number,
  rules: WeightRules,
): number {
  if (INPUT_TENSORS.has(tensor.name)) return CPU;
  if (OUTPUT_TENSORS.test(tensor.name)) return rules.deviceOfLayer(layers);
  const layer = il ?? 0;
  if (layer < rules.cpuExpertLayers && EXPERTS.test(tensor.name)) return CPU;
  return rules.deviceOfLayer(layer);
}

function layerOf(name: string): number | null {
  const match = LAYER.exec(name);
  return match === null ? null : Number(match[1]);
}
