import type { ModelIndex } from '../architecture/model-index.js';
import { assemble, memoryOfPlan, type LoadPlan } from '../estimate/estimate-footprint.js';
import type { FootprintEstimate } from '../estimate/footprint.js';
import type { ModelMemory } from '../estimate/model-memory.js';
import { chargeOf, fits, fitsBudget, type MemoryBudget } from './budget.js';

/** How a plan stands to a budget. */
export interface Trial {
  readonly estimate: FootprintEstimate;
  readonly fits: boolean;
  /** False where not even perfectly packed compute buffers would fit; no longer context can fit then. */
  readonly mayFit: boolean;
}

/** Works a plan out and holds it against a budget. */
export function tryPlan(index: ModelIndex, plan: LoadPlan, budget: MemoryBudget): Trial {
  const memory = memoryOfPlan(index, plan);
  const estimate = assemble(index, plan, memory);
  const isFit = fitsBudget(estimate, budget);
  return { estimate, fits: isFit, mayFit: isFit || lowerBoundFits(index, plan, memory, budget) };
}

/**
 * llama.cpp's packing is not monotone: a longer context may need a smaller compute buffer. What is in use
 * at once is, so that a plan whose lower bound does not fit rules out every longer context.
 */
function lowerBoundFits(
  index: ModelIndex,
  plan: LoadPlan,
  memory: ModelMemory,
  budget: MemoryBudget,
): boolean {
  const { slack } = memory;
  const packed = assemble(index, plan, {
    ...memory,
    ram: { ...memory.ram, computeBytes: memory.ram.computeBytes - slack.ramBytes },
    gpus: memory.gpus.map((gpu, i) => ({
      ...gpu,
      computeBytes: gpu.computeBytes - (slack.gpuBytes[i] ?? 0),
    })),
  });
  // Which pool the margin falls to shifts with the context, so that it only counts where there is one pool.
  const onePool = memory.gpus.length === 0;
  return fits(chargeOf(packed, budget.withMargin && onePool), budget);
}
