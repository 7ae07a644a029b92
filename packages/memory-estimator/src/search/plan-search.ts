import type { ModelIndex } from '../architecture/model-index.js';
import { assemble, memoryOfPlan, type LoadPlan } from '../estimate/estimate-footprint.js';
import { totalBytesOf, type Footprint, type FootprintEstimate } from '../estimate/footprint.js';
import type { ModelMemory } from '../estimate/model-memory.js';
import { fits, fitsBudget, type Charge, type MemoryBudget } from './budget.js';

/** How a plan stands to a budget. */
export interface Trial {
  readonly estimate: FootprintEstimate;
  readonly fits: boolean;
  /**
   * Asked of a plan that does not fit: whether one with a longer context might, up to that of `ceiling`.
   * llama.cpp's packing is not monotone: a longer context may need a smaller compute buffer. What is in use
   * at once is, so that a plan whose lower bound does not fit rules out the longer contexts.
   */
  mayFitLonger(ceiling: FootprintEstimate): boolean;
}

/** Works a plan out and holds it against a budget. */
export function tryPlan(index: ModelIndex, plan: LoadPlan, budget: MemoryBudget): Trial {
  const memory = memoryOfPlan(index, plan);
  const estimate = assemble(index, plan, memory);
  const isRefused = estimate.refusal !== null;
  return {
    estimate,
    fits: !isRefused && fitsBudget(estimate, budget),
    mayFitLonger: (ceiling) =>
      !isRefused &&
      fits(leastCharge(packed(index, plan, memory), ceiling, budget.withMargin), budget),
  };
}

/** The plan with its compute buffers packed perfectly. */
function packed(index: ModelIndex, plan: LoadPlan, memory: ModelMemory): FootprintEstimate {
  const { slack } = memory;
  return assemble(index, plan, {
    ...memory,
    ram: { ...memory.ram, computeBytes: memory.ram.computeBytes - slack.ramBytes },
    gpus: memory.gpus.map((gpu, i) => ({
      ...gpu,
      computeBytes: gpu.computeBytes - (slack.gpuBytes[i] ?? 0),
    })),
  });
}

/** How much larger than the ceiling's a shorter context's compute buffers may be, for all that is known. */
const PACKING_SHARE = 0.05;

/**
 * What every context from the packed one's to the ceiling's is charged at least. The margin grows with the
 * context, but the share of it that falls to one pool may shrink while the others grow: they are taken as
 * large as they get.
 */
function leastCharge(
  least: FootprintEstimate,
  ceiling: FootprintEstimate,
  withMargin: boolean,
): Charge {
  const margin = withMargin ? marginOf(least) : 0;
  const most = unmappedBytes(ceiling) + PACKING_SHARE * computeBytes(ceiling);
  const charged = (bytes: number, atCeiling: number) => {
    const others = Math.max(0, most - atCeiling);
    return bytes + (bytes > 0 ? Math.floor((margin * bytes) / (bytes + others)) : 0);
  };
  const { ram, gpus } = least;
  return {
    ramBytes: ram.mappedBytes + charged(ram.anonymousBytes, ceiling.ram.anonymousBytes),
    gpus: gpus.map(({ deviceKey, bytes }, i) => ({
      deviceKey,
      bytes: charged(bytes, ceiling.gpus[i]?.bytes ?? 0),
    })),
  };
}

function marginOf({ interval, ...footprint }: Footprint): number {
  return interval === null ? 0 : Math.max(0, interval.highBytes - totalBytesOf(footprint));
}

function unmappedBytes(footprint: Footprint): number {
  return totalBytesOf(footprint) - footprint.ram.mappedBytes;
}

function computeBytes({ parts }: FootprintEstimate): number {
  return [parts.ram, ...parts.gpus].reduce((sum, part) => sum + part.computeBytes, 0);
}
