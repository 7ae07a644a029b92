import {
  charge,
  fits,
  marginOf,
  totalBytesOf,
  type Charge,
  type Footprint,
} from '@mai/memory-ledger';
import type { ModelIndex } from '../architecture/model-index.js';
import { assemble, intervalOf } from '../estimate/estimate-footprint.js';
import type { FootprintEstimate } from '../estimate/footprint-estimate.js';
import type { LoadPlan } from '../load/plan-load.js';
import { memoryOfPlan, packed } from '../memory/load-memory.js';
import { fitsBudget, type MemoryBudget } from './budget.js';

/** A plan's estimate, and whether it fits a budget. */
export interface Trial {
  readonly estimate: FootprintEstimate;
  readonly fits: boolean;
  /**
   * For a plan that does not fit: whether the same plan with a longer context may fit, up to the context of
   * `ceiling`.
   *
   * A longer context may need a smaller compute buffer, because llama.cpp's packing is not monotone. The
   * bytes that are in use at once are monotone, and give a lower bound: if the bound of a context does not fit,
   * longer contexts do not fit.
   */
  mayFitLonger(ceiling: FootprintEstimate): boolean;
}

/** Estimates a plan and checks it against a budget. If llama.cpp refuses a plan, the plan fits no budget. */
export function tryPlan(index: ModelIndex, plan: LoadPlan, budget: MemoryBudget): Trial {
  const memory = memoryOfPlan(index, plan);
  const estimate = assemble(index, plan, memory);
  const isRefused = estimate.refusal !== null;
  return {
    estimate,
    fits: !isRefused && fitsBudget(estimate, budget),
    mayFitLonger: (ceiling) => {
      if (isRefused) return false;
      const least = packed(memory);
      const alone = assemble(index, plan, { ...least, ends: [] });
      const { highBytes } = intervalOf(index, plan, least);
      return fits(budget.pools, leastCharge(alone, highBytes, ceiling, budget), budget);
    },
  };
}

/** Compute buffers of a context below the ceiling may be larger than those of the ceiling, by this share. */
const PACKING_SHARE = 0.05;

/**
 * A lower bound of the charge for every context between that of the packed estimate and that of the ceiling.
 *
 * The ledger spreads the interval's margin over the parts in proportion to their bytes, and rounds up. The margin
 * grows with the context, but the share of one part may shrink while the others grow. So the bound of each part
 * uses the smallest margin, and the share that the part has when all other parts are largest. It is rounded down.
 *
 * Where settings are not known, the upper end comes from their most expensive values. The upper end grows with the
 * context, but its distance to the expected size may shrink. So a second bound spreads the whole upper end over the
 * parts.
 *
 * @param least The packed estimate without the range of unknown settings.
 * @param highBytes The upper end of the packed estimate with that range.
 */
function leastCharge(
  least: FootprintEstimate,
  highBytes: number,
  ceiling: FootprintEstimate,
  { devices, size }: Pick<MemoryBudget, 'devices' | 'size'>,
): Charge {
  const isUpperEnd = size === 'upper-end';
  const marginBytes = isUpperEnd ? marginOf(least) : 0;
  const inexactHighBytes = isUpperEnd ? highBytes - least.ram.mappedBytes : 0;
  const mostBytes = inexactBytes(ceiling) + PACKING_SHARE * computeBytes(ceiling);
  const stretched = (bytes: number, ceilingBytes: number): number => {
    const othersBytes = Math.max(0, mostBytes - ceilingBytes);
    if (bytes === 0) return 0;
    const share = bytes / (bytes + othersBytes);
    return Math.max(bytes + Math.floor(marginBytes * share), Math.floor(inexactHighBytes * share));
  };
  const { ram, gpus } = least;
  const bound: Footprint = {
    ...least,
    ram: {
      mappedBytes: ram.mappedBytes,
      anonymousBytes: stretched(ram.anonymousBytes, ceiling.ram.anonymousBytes),
    },
    gpus: gpus.map(({ deviceKey, bytes }, i) => ({
      deviceKey,
      bytes: stretched(bytes, ceiling.gpus[i]?.bytes ?? 0),
    })),
    // The bound already contains the margin.
    interval: null,
  };
  // Growth differs between contexts, so the bound leaves it out.
  return charge(bound, devices, size, 'ignore').charge;
}

/** The bytes that the margin is spread over: everything but the mapped weights. */
function inexactBytes(footprint: Footprint): number {
  return totalBytesOf(footprint) - footprint.ram.mappedBytes;
}

function computeBytes({ parts }: FootprintEstimate): number {
  return [parts.ram, ...parts.gpus].reduce((sum, part) => sum + part.computeBytes, 0);
}
