import type { LoadOption, Resident, SelectionInput } from '../input.js';
import { comparePositions, type ChainPosition } from './chain-position.js';
import { serviceOf } from './serves.js';

/** Our most preferred resident in the chain. */
export interface Current {
  readonly resident: Resident;
  readonly position: ChainPosition;
  /** The first load option that the resident serves; `null` where the resident serves no option. */
  readonly option: LoadOption | null;
}

/** Finds our most preferred resident that is in the chain; `null` when no such resident is loaded. */
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
    const served = loadOptions.findIndex(
      (option) => serviceOf(resident, option, requirement) !== null,
    );
    const optionIndex = served === -1 ? loadOptions.length : served;
    const position = { candidateIndex, optionIndex };
    if (best === null || comparePositions(position, best.position) < 0) {
      best = { resident, position, option: loadOptions[optionIndex] ?? null };
    }
  }
  return best;
}
