import { valueOf } from '@mai/memory-ledger';
import {
  loadTimeMs,
  NO_REQUIREMENT,
  serviceOf,
  type LoadOption,
  type Resident,
  type Selection,
  type SelectionInput,
} from '@mai/selector';
import { RECOVERY_MS } from './reaction-time.js';

/**
 * How long the model of a step up must stay until its higher value has paid for the switch, in milliseconds.
 * Null where a value is not known, or where the model has no higher value than the resident that it replaces.
 */
export function paybackMs(selection: Selection, input: SelectionInput): number | null {
  const { plan, afterDrain } = selection;
  const steps = afterDrain?.plan.steps ?? plan.steps;
  const load = steps.find((step) => step.action === 'load');
  if (load === undefined) return null;
  const { loadOption } = load;
  // A busy model that is replaced is unloaded to make room, perhaps together with other residents.
  const unloads = steps.filter((step) => step.action === 'unload');
  const values = unloads.flatMap(({ instanceIdentifier }) => {
    const resident = input.residents.find((one) => one.instanceIdentifier === instanceIdentifier);
    const held = resident === undefined ? null : optionOf(resident, input);
    return (held === null ? null : valueOf(held, input.policy)) ?? [];
  });
  const value = values.length === 0 ? null : Math.max(...values);
  const newValue = valueOf(loadOption, input.policy);
  if (value === null || newValue === null || newValue <= value) return null;
  return (value * (loadTimeMs(loadOption) + RECOVERY_MS)) / (newValue - value);
}

/**
 * The load option that a resident was loaded with; null where none is the same. Its context may be longer, because an earlier
 * request needed one or preferred one.
 */
function optionOf(resident: Resident, { candidates }: SelectionInput): LoadOption | null {
  const candidate = candidates.find((one) => one.modelKey === resident.modelKey);
  return (
    candidate?.loadOptions.find((option) => serviceOf(resident, option, NO_REQUIREMENT) !== null) ??
    null
  );
}
