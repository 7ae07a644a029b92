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
import type { Candidate } from '../input.js';

/** The machine that candidates are judged for. Its available memory does not matter. */
export interface EmptyMachine {
  readonly resources: Resources;
  readonly policy: SelectionPolicy;
}

/**
 * The candidates, the most valuable on this machine first. The value of a candidate is that of its
 * `optionWhenEmpty`, so the order does not change with the use of memory. Candidates of equal value keep their
 * order. Behind them come the candidates whose quality is not known, then those that do not fit.
 */
export function orderByValue<One extends Candidate>(
  candidates: readonly One[],
  machine: EmptyMachine,
): readonly One[] {
  const pools = poolsWhenEmpty(machine);
  const rankOf = (candidate: One): number => {
    const option = firstFitting(candidate, pools, machine);
    return option === null ? -2 : (valueOf(option, machine.policy) ?? -1);
  };
  return candidates
    .map((candidate) => ({ candidate, rank: rankOf(candidate) }))
    .sort((one, other) => other.rank - one.rank)
    .map(({ candidate }) => candidate);
}

/**
 * The first load option that keeps to the limits while nothing else uses memory; `null` where no option does.
 */
export function optionWhenEmpty<One extends Candidate>(
  candidate: One,
  machine: EmptyMachine,
): One['loadOptions'][number] | null {
  return firstFitting(candidate, poolsWhenEmpty(machine), machine);
}

function firstFitting<One extends Candidate>(
  { loadOptions, observedGrowth }: One,
  pools: readonly Pool[],
  { resources, policy }: EmptyMachine,
): One['loadOptions'][number] | null {
  const fitting = loadOptions.find(({ footprint }) => {
    if (footprint === null) return false;
    const needed = chargeLoad(footprint, resources, policy.growth, observedGrowth);
    return fits(pools, needed, { limit: LIMIT });
  });
  return fitting ?? null;
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
