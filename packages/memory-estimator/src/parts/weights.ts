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

/** One tensor with what its name says about its place, worked out once for a model. */
interface PlacedTensor {
  readonly tensor: GgufTensor;
  readonly place: 'input' | 'layer' | 'output';
  readonly layer: number;
  readonly isExpert: boolean;
}

/** What the tensors of a model say about their places. */
export interface WeightIndex {
  readonly tensors: readonly PlacedTensor[];
  /** The embedding, where it is the output matrix too. */
  readonly tied: GgufTensor | null;
  readonly layers: number;
}

/** Sorts the tensors of a model for placeWeights. */
export function indexWeights(header: GgufHeader, model: Hyperparameters | null): WeightIndex {
  const layers = model?.layersInFile ?? 0;
  const tensors = header.tensors.flatMap((tensor): PlacedTensor[] => {
    const match = LAYER.exec(tensor.name);
    const il = match === null ? null : Number(match[1]);
    // Layers that predict further tokens are not loaded.
    if (model !== null && il !== null && il >= model.layers && il < layers) return [];
    const place = INPUT_TENSORS.has(tensor.name)
      ? 'input'
      : OUTPUT_TENSORS.test(tensor.name)
        ? 'output'
        : 'layer';
    return [{ tensor, place, layer: il ?? 0, isExpert: EXPERTS.test(tensor.name) }];
  });
  const hasOutput = header.tensors.some(({ name }) => name === 'output.weight');
  const embedding = header.tensors.find(({ name }) => name === 'token_embd.weight');
  return { tensors, tied: hasOutput ? null : (embedding ?? null), layers };
}

/** The weights by device: exact sums of the tensors' bytes, as llama.cpp v0.5.0 places them. */
export function placeWeights(index: WeightIndex, rules: WeightRules): WeightPlacement {
  const gpuBytes = new Array<number>(rules.gpuCount).fill(0);
  let cpuBytes = 0;
  let repackBytes = 0;
  for (const { tensor, place, layer, isExpert } of index.tensors) {
    const onCpu = place === 'input' || (isExpert && layer < rules.cpuExpertLayers);
    const device = onCpu ? CPU : rules.deviceOfLayer(place === 'output' ? index.layers : layer);
    if (device !== CPU) {
      gpuBytes[device] = (gpuBytes[device] ?? 0) + tensor.sizeBytes;
    } else {
      cpuBytes += tensor.sizeBytes;
      if (place !== 'input' && isRepacked(tensor, isExpert, rules.repack))
        repackBytes += tensor.sizeBytes;
    }
  }
  const { tied } = index;
  if (tied !== null) {
    // The embedding is the output matrix too. On a GPU that is a copy; on the CPU the same bytes serve,
    // but the output's view of them is repacked.
    const device = rules.deviceOfLayer(index.layers);
    if (device !== CPU) gpuBytes[device] = (gpuBytes[device] ?? 0) + tied.sizeBytes;
    else if (isRepacked(tied, false, rules.repack)) repackBytes += tied.sizeBytes;
  }
  return { cpuBytes, gpuBytes, repackBytes };
}
