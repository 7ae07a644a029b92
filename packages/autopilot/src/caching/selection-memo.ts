import type { Resources } from '@mai/memory-ledger';
import { selectModel, type Selection, type SelectionInput } from '@mai/selector';
import { isSameData } from '../same-data.js';

/** `selectModel` with a cache. If the input equals the last input, the last selection is returned. */
export function createSelectionMemo(): (input: SelectionInput) => Selection {
  let last: { readonly input: SelectionInput; readonly selection: Selection } | null = null;
  return (input) => {
    if (last !== null && isSameInput(last.input, input)) return last.selection;
    const selection = selectModel(input);
    last = dependsOnTime(input) ? null : { input, selection };
    return selection;
  };
}

function isSameInput(one: SelectionInput, other: SelectionInput): boolean {
  return (
    one.upgradeMarginRatio === other.upgradeMarginRatio &&
    one.steppingDown === other.steppingDown &&
    isSameApartFromTime(one.resources, other.resources) &&
    isSameData(one.residents, other.residents) &&
    isSameData(one.retained ?? null, other.retained ?? null) &&
    isSameData(one.callersWait ?? null, other.callersWait ?? null) &&
    isSameData(one.requirement, other.requirement) &&
    isSameData(one.policy, other.policy) &&
    isSameData(one.candidates, other.candidates)
  );
}

function isSameApartFromTime(one: Resources, other: Resources): boolean {
  return isSameData({ ...one, timestampMs: 0 }, { ...other, timestampMs: 0 });
}

/** Whether the same input may lead to another selection later. */
function dependsOnTime({ candidates, residents, policy }: SelectionInput): boolean {
  return (
    candidates.some((one) => one.coolingDownUntilMs !== null) ||
    (policy.foreign === 'evict-idle' && residents.some((one) => one.foreign))
  );
}
