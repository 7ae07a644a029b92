import { indexModel } from '../architecture/model-index.js';
import type { EstimateEnvironment } from '../estimate/environment.js';
import { planLoad } from '../estimate/estimate-footprint.js';
import type { FootprintEstimate } from '../estimate/footprint.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import type { LoadConfig } from '../settings/load-config.js';
import type { MemoryBudget } from './budget.js';
import { tryPlan } from './plan-search.js';

/** How many layers fit the GPUs, and what the model takes then. */
export interface LayerFit {
  /** Layers on GPUs, the output layer counted as one more. */
  readonly gpuLayers: number;
  /** The share that asks LM Studio for them. */
  readonly offloadRatio: number;
  readonly footprint: FootprintEstimate;
}

/**
 * The most layers on GPUs with which a model fits a budget; null where it does not fit with any. More
 * memory on the GPUs never gives fewer layers.
 */
export function mostGpuLayers(
  header: GgufHeader,
  loadConfig: LoadConfig,
  environment: EstimateEnvironment,
  budget: MemoryBudget,
): LayerFit | null {
  const index = indexModel(header);
  for (const offloadRatio of offloadRatios(index.model?.layersInFile ?? 0)) {
    const plan = planLoad(index, { ...loadConfig, offloadRatio }, environment);
    const { estimate, fits } = tryPlan(index, plan, budget);
    if (fits) return { gpuLayers: estimate.settings.gpuLayers, offloadRatio, footprint: estimate };
  }
  return null;
}

/** Every share that makes a difference, from all to nothing. */
function offloadRatios(layers: number): readonly number[] {
  // Not even how many layers there are is known.
  if (layers === 0) return [1, 0];
  const partial = Array.from({ length: layers }, (_, i) => layers - 1 - i);
  // In the middle of a layer's share, so that no rounding takes one away.
  return [1, ...partial.map((count) => (count === 0 ? 0 : (count + 0.5) / layers))];
}
