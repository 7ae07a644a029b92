import type { EngineRules } from '../settings/estimate-settings.js';
import { CPU, type DeviceOfLayer } from './weights.js';

/**
 * The device of each layer. The last `gpuLayers` layers go to the GPUs in proportion to their weights. The output
 * counts as the last layer, or is put on a GPU after all other layers (`outputLayer`). Source: load_tensors in
 * llama-model.cpp; pull request 18148.
 */
export function deviceOfLayer(
  layers: number,
  gpuLayers: number,
  gpuWeights: readonly number[],
  outputLayer: EngineRules['outputLayer'] = 'first',
): DeviceOfLayer {
  const total = gpuWeights.reduce((sum, weight) => sum + weight, 0);
  let running = 0;
  const shares = gpuWeights.map((weight) => {
    running += weight;
    return total > 0 ? running / total : 1;
  });
  const first = Math.max(layers + (outputLayer === 'first' ? 1 : 0) - gpuLayers, 0);
  const onGpu = gpuWeights.length === 0 ? 0 : Math.min(gpuLayers, layers + 1);
  return (il) => {
    if (il < first || il - first >= onGpu) return CPU;
    const position = (il - first) / onGpu;
    const device = shares.findIndex((share) => share > position);
    return device === -1 ? shares.length - 1 : device;
  };
}

/** Converts LM Studio's offload ratio to a number of layers. A ratio of 1 includes the output layer. */
export function layersOfRatio(ratio: number, layers: number): number {
  return ratio >= 1 ? layers + 1 : Math.floor(Math.max(0, ratio) * layers);
}
