import type { WeightIndex } from '../architecture/weight-index.js';
import type { CpuKernels } from '../settings/estimate-settings.js';
import { isRepacked } from './repack.js';

/** Bytes of a model's weights by device. */
export interface WeightPlacement {
  readonly cpuBytes: number;
  /** By GPU, in the order of the environment. */
  readonly gpuBytes: readonly number[];
  /** A second copy of some CPU weights, in the layout of the CPU's kernels. */
  readonly repackBytes: number;
}

/** The device of a layer: `CPU`, or the index of a GPU. The index after the last layer stands for the output. */
export type DeviceOfLayer = (il: number) => number;

export const CPU = -1;

/** The rules that place weights on devices. */
export interface WeightRules {
  readonly deviceOfLayer: DeviceOfLayer;
  readonly gpuCount: number;
  /** The experts of layers with a lower index stay on the CPU. */
  readonly cpuExpertLayers: number;
  /** How the CPU's own weights are repacked. */
  readonly repack: CpuKernels;
}

/** Adds up the weights by device, as llama.cpp v0.5.0 places them. Exact to the byte. */
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
    // A GPU gets a copy of the embedding as its output matrix. On the CPU, embedding and output matrix are the same
    // bytes, so only a repacked copy takes more memory.
    const device = rules.deviceOfLayer(index.layers);
    if (device !== CPU) gpuBytes[device] = (gpuBytes[device] ?? 0) + tied.sizeBytes;
    else if (isRepacked(tied, false, rules.repack)) repackBytes += tied.sizeBytes;
  }
  return { cpuBytes, gpuBytes, repackBytes };
}
