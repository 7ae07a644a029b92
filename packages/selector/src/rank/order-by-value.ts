import {
  chargeLoad,
  fits,
  LIMIT,
  measurePools,
  valueOf,
  type Pool,
  type Resources,
  type SelectionPolicy,
} from '@mai/memory-ledger';
import { checkPolicy } from '../check-input.js';
import type { Candidate } from '../input.js';
import { findTooSlow } from '../offer/eligibility.js';

/** The machine that candidates are judged for. Its available memory does not matter. */
export interface EmptyMachine {
  readonly resources: Resources;
  readonly policy: SelectionPolicy;
}

/** Ranks below every value, which is 0 or more. */
const RANK = { unknownQuality: -1, tooSlow: -3, doesNotFit: -4 } as const;

/**
 * The candidates, the most valuable on this machine first. The value of a candidate is that of its first load option that fits
 * while nothing else uses memory and is not too slow, so the order does not change with the use of memory. Candidates of equal
 * value keep their order. After them come the candidates whose quality is not known, then those that are too slow, because a
 * selection takes them only where nothing else fits. Candidates that do not fit come last.
 *
 * @throws RangeError for a number of the policy that is NaN or out of its range.
 */
export function orderByValue<One extends Candidate>(
  candidates: readonly One[],
  machine: EmptyMachine,
): readonly One[] {
  checkPolicy(machine.policy);
  const pools = poolsWhenEmpty(machine);
  const rankOf = (candidate: One): number => {
    const fitting = fittingOptions(candidate, pools, machine);
    const option = fitting.find((one) => findTooSlow(candidate, one, machine.policy) === null);
    if (option !== undefined) return valueOf(option, machine.policy) ?? RANK.unknownQuality;
    const [slow] = fitting;
    if (slow === undefined) return RANK.doesNotFit;
    return RANK.tooSlow + (valueOf(slow, machine.policy) ?? 0);
  };
  return candidates
    .map((candidate) => ({ candidate, rank: rankOf(candidate) }))
    .sort((one, other) => other.rank - one.rank)
    .map(({ candidate }) => candidate);
}

/**
 * The first load option that keeps to the limits while nothing else uses memory; `null` where no option does.
 *
 * @throws RangeError for a number of the policy that is NaN or out of its range.
 */
export function optionWhenEmpty<One extends Candidate>(
  candidate: One,
  machine: EmptyMachine,
): One['loadOptions'][number] | null {
  checkPolicy(machine.policy);
  return fittingOptions(candidate, poolsWhenEmpty(machine), machine)[0] ?? null;
}

function fittingOptions<One extends Candidate>(
  { loadOptions, observedGrowth }: One,
  pools: readonly Pool[],
  { resources, policy }: EmptyMachine,
): readonly One['loadOptions'][number][] {
  return loadOptions.filter(({ footprint }) => {
    if (footprint === null) return false;
    const needed = chargeLoad(footprint, resources, policy.growth, observedGrowth);
    return fits(pools, needed, { limit: LIMIT });
  });
}

function poolsWhenEmpty({ resources, policy }: EmptyMachine): readonly Pool[] {
  const { ram, gpus } = resources;
  const unused: Resources = {
    ...resources,
    ram: { ...ram, availableBytes: ram.totalBytes },
    gpus: gpus.map((gpu) => ({ ...gpu, availableBytes: gpu.totalBytes })),
  };
  return measurePools(unused, [], policy);
}
