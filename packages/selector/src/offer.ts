import { charge, type Charge } from '@mai/memory-ledger';
import { chargeOf, NOTHING, type Accounts } from './accounts.js';
import { comparePositions, type ChainPosition } from './chain-position.js';
import type { Candidate, LoadOption, Resident, SelectionInput } from './input.js';
import { servesOption } from './serves.js';

/** A load option of a candidate, with the resident that matches it and its charge. */
export interface Offer extends ChainPosition {
  readonly candidate: Candidate;
  readonly option: LoadOption;
  /** The resident that matches the option; `null` when the option has to be loaded. */
  readonly resident: Resident | null;
  /**
   * Bytes of each pool: the expected size of a resident, the upper end of the interval of a load. Empty for
   * a load whose footprint is unknown; it is rejected before it is charged.
   */
  readonly needed: Charge;
}

/** All offers of a decision. An offer is worked out when it is first asked for, and kept. */
export class Offers {
  readonly #input: SelectionInput;
  readonly #accounts: Accounts;
  readonly #known = new Map<LoadOption, Offer>();

  constructor(input: SelectionInput, accounts: Accounts) {
    this.#input = input;
    this.#accounts = accounts;
  }

  /** The offers of a candidate, in order of preference. */
  *of(candidate: Candidate, candidateIndex: number): Generator<Offer> {
    for (const [optionIndex, option] of candidate.loadOptions.entries()) {
      const known = this.#known.get(option);
      if (known?.candidateIndex === candidateIndex && known.optionIndex === optionIndex) {
        yield known;
        continue;
      }
      const offer = this.#make({ candidateIndex, optionIndex }, candidate, option);
      this.#known.set(option, offer);
      yield offer;
    }
  }

  #make(position: ChainPosition, candidate: Candidate, option: LoadOption): Offer {
    const { requirement, residents, resources } = this.#input;
    const resident =
      residents.find((one) => servesOption(one, candidate.modelKey, option, requirement)) ?? null;
    const needed =
      resident !== null
        ? chargeOf(this.#accounts, resident)
        : option.footprint === null
          ? NOTHING
          : charge(option.footprint, resources, 'upper-end').charge;
    // No spread (`...position`): it would take longer than the rest of the decision.
    const { candidateIndex, optionIndex } = position;
    return { candidateIndex, optionIndex, candidate, option, resident, needed };
  }
}

/** Our most preferred resident in the chain. */
export interface Current {
  readonly resident: Resident;
  readonly position: ChainPosition;
  /** The load option that the resident matches; `null` where it matches none of its candidate's options. */
  readonly option: LoadOption | null;
}

/** Finds our most preferred resident that is in the chain; `null` when there is none. */
export function findCurrent({
  residents,
  candidates,
  requirement,
}: SelectionInput): Current | null {
  let best: Current | null = null;
  for (const resident of residents) {
    if (resident.foreign) continue;
    const candidateIndex = candidates.findIndex(({ modelKey }) => modelKey === resident.modelKey);
    const candidate = candidates[candidateIndex];
    if (candidate === undefined) continue;
    const { loadOptions } = candidate;
    const served = loadOptions.findIndex((option) =>
      servesOption(resident, candidate.modelKey, option, requirement),
    );
    const optionIndex = served === -1 ? loadOptions.length : served;
    const position = { candidateIndex, optionIndex };
    if (best === null || comparePositions(position, best.position) < 0) {
      best = { resident, position, option: loadOptions[optionIndex] ?? null };
    }
  }
  return best;
}
