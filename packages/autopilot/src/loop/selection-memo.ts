import type { Resources } from '@mai/memory-ledger';
import { selectModel, type Selection, type SelectionInput } from '@mai/selector';
import { isSameData } from '../assemble/same-data.js';

/**
 * Decides, and gives the last decision again for as long as nothing that it depends on has changed: a
 * machine at rest is looked at every second.
 */
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
    isSameData(one.requirement, other.requirement) &&
    isSameData(one.policy, other.policy) &&
    isSameData(one.candidates, other.candidates)
  );
}

function isSameApartFromTime(one: Resources, other: Resources): boolean {
  return (
    one.ram.availableBytes === other.ram.availableBytes &&
    one.ram.totalBytes === other.ram.totalBytes &&
    one.ram.mappedCountsAsUsed === other.ram.mappedCountsAsUsed &&
    one.unified === other.unified &&
    one.observable === other.observable &&
    one.cpu.othersRatio === other.cpu.othersRatio &&
    one.cpu.utilizationRatio === other.cpu.utilizationRatio &&
    isSameData(one.gpus, other.gpus)
  );
}

/** Whether the same facts come out differently a while later. */
function dependsOnTime({ candidates, residents, policy }: SelectionInput): boolean {
  return (
    candidates.some((one) => one.coolingDownUntilMs !== null) ||
    (policy.foreign === 'evict-idle' && residents.some((one) => one.foreign))
  );
}
