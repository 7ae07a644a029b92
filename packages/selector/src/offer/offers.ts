import { chargeLoad, NO_CHARGE, type Charge } from '@mai/memory-ledger';
import { chargeOf, type Accounts } from '../account/accounts.js';
import type { Candidate, LoadOption, Resident, SelectionInput } from '../input.js';
import type { ChainPosition } from './chain-position.js';
import { serviceOf } from './serves.js';

/** One way to make a load option of a candidate available: keep a resident, or load it. */
export interface Offer extends ChainPosition {
  readonly candidate: Candidate;
  readonly option: LoadOption;
  /** The resident that serves the option; `null` when the option is loaded. */
  readonly resident: Resident | null;
  /**
   * Bytes of each pool. For a resident, its charge. For a load, the upper end of its interval and its growth.
   * Empty for a load whose footprint is unknown, because such a load is rejected earlier.
   */
  readonly needed: Charge;
}

/**
 * The offers of a candidate, in order of preference. For each load option:
 *
 * 1. Every resident that is loaded as the option asks.
 * 2. Every resident with a longer context that serves no earlier option.
 *    Of all these, the retained ones come first, so that of two copies the one that callers use stays.
 * 3. A load, unless a resident is loaded as the option asks. The load is tried after a resident with a longer
 *    context, because the shorter context may fit where the longer context does not.
 */
export function* offersOf(
  candidate: Candidate,
  candidateIndex: number,
  { requirement, residents, resources, policy, retained = [] }: SelectionInput,
  accounts: Accounts,
): Generator<Offer> {
  const copies = residents.filter(({ modelKey }) => modelKey === candidate.modelKey);
  const offered = new Set<Resident>();
  const isRetained = ({ instanceIdentifier }: Resident): number =>
    retained.includes(instanceIdentifier) ? 1 : 0;
  for (const [optionIndex, option] of candidate.loadOptions.entries()) {
    const asAsked: Resident[] = [];
    const longer: Resident[] = [];
    for (const resident of copies) {
      const service = serviceOf(resident, option, requirement);
      if (service === 'as-asked') asAsked.push(resident);
      if (service === 'longer-context' && !offered.has(resident)) longer.push(resident);
    }
    const serving = [...asAsked, ...longer];
    if (serving.length > 1) serving.sort((a, b) => isRetained(b) - isRetained(a));
    for (const resident of serving) {
      offered.add(resident);
      const needed = chargeOf(accounts, resident);
      yield { candidateIndex, optionIndex, candidate, option, resident, needed };
    }
    if (asAsked.length > 0) continue;
    const { footprint } = option;
    const needed =
      footprint === null
        ? NO_CHARGE
        : chargeLoad(footprint, resources, policy.growth, candidate.observedGrowth);
    yield { candidateIndex, optionIndex, candidate, option, resident: null, needed };
  }
}
