import type { LoadConfig } from '@mai/memory-ledger';
import { indexModel } from '../architecture/model-index.js';
import type { EstimateEnvironment } from '../load/environment.js';
import type { FootprintEstimate } from '../estimate/footprint-estimate.js';
import { planLoad } from '../load/plan-load.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import type { MemoryBudget } from './budget.js';
import { tryPlan } from './try-plan.js';

/** A number of layers on GPUs that fits. */
export interface LayerFit {
  /** Layers on GPUs. The output layer counts as one layer. */
  readonly gpuLayers: number;
  /** The offload ratio that asks LM Studio for this number of layers. */
  readonly offloadRatio: number;
  readonly footprint: FootprintEstimate;
}

/**
 * The most layers on GPUs with which a model fits a budget; `null` where no number of layers fits. A budget with
 * more memory never gives fewer layers.
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

/** The ratios that put different numbers of layers on GPUs, from all layers to no layers. */
function offloadRatios(layers: number): readonly number[] {
  // The number of layers is unknown, so the choice is only between all layers and no layers.
  if (layers === 0) return [1, 0];
  const partial = Array.from({ length: layers }, (_, i) => layers - 1 - i);
  // Half a layer is added, so that rounding never removes one.
  return [1, ...partial.map((count) => (count === 0 ? 0 : (count + 0.5) / layers))];
}
