import { LOAD_CONFIG_FIELDS, valueOf } from '@mai/memory-ledger';
import type { LoadOption, Resident, Selection, SelectionInput } from '@mai/selector';
import { loadTimeMs, RECOVERY_MS } from './reaction-time.js';

/**
 * How long the model of a step up must stay until its higher value has paid for the switch, in milliseconds.
 * Null where a value is not known, or where the model has no higher value than the resident that it replaces.
 */
export function paybackMs(selection: Selection, input: SelectionInput): number | null {
  const { plan, afterDrain } = selection;
  const steps = afterDrain?.plan.steps ?? plan.steps;
  const load = steps.find((step) => step.action === 'load');
  const unloaded = steps.find((step) => step.action === 'unload' && step.why === 'superseded');
  if (load?.action !== 'load' || unloaded?.action !== 'unload') return null;
  const { loadOption } = load;
  const replaced = input.residents.find(
    (one) => one.instanceIdentifier === unloaded.instanceIdentifier,
  );
  const held = replaced === undefined ? null : optionOf(replaced, input);
  const value = held === null ? null : valueOf(held, input.policy);
  const newValue = valueOf(loadOption, input.policy);
  if (value === null || newValue === null || newValue <= value) return null;
  return (value * (loadTimeMs(loadOption) + RECOVERY_MS)) / (newValue - value);
}

/** The load option that a resident was loaded with; null where none is the same. */
function optionOf(
  { modelKey, loadConfig }: Resident,
  { candidates }: SelectionInput,
): LoadOption | null {
  const candidate = candidates.find((one) => one.modelKey === modelKey);
  return (
    candidate?.loadOptions.find(({ loadConfig: asked }) =>
      LOAD_CONFIG_FIELDS.every(
        (field) =>
          asked[field] === null || loadConfig[field] === null || asked[field] === loadConfig[field],
      ),
    ) ?? null
  );
}
