import type { Footprint, SelectionPolicy } from '@mai/memory-ledger';
import type { LoadOption, Plan, Rejection, Selection, SelectionInput } from '@mai/selector';
import type { DecisionRecord } from './decision-record.js';

/**
 * Adds the fields about growth to a record of version 1 or 2, which had none: growth is not known, was not
 * observed and is not charged.
 *
 * @throws TypeError where the record is damaged.
 */
export function withoutGrowth(record: DecisionRecord): DecisionRecord {
  const { input, selection, hysteresis } = record;
  return {
    ...record,
    input: { ...input, ...inputOf(input) },
    selection: selectionOf(selection),
    hysteresis: { ...hysteresis, policy: policyOf(hysteresis.policy) },
  };
}

function inputOf({
  candidates,
  residents,
  policy,
}: SelectionInput): Pick<SelectionInput, 'candidates' | 'residents' | 'policy'> {
  return {
    candidates: candidates.map((candidate) => ({
      ...candidate,
      observedGrowth: [],
      loadOptions: candidate.loadOptions.map(optionOf),
    })),
    residents: residents.map((resident) => ({
      ...resident,
      footprint: footprintOf(resident.footprint),
      observation: null,
    })),
    policy: policyOf(policy),
  };
}

function selectionOf(selection: Selection): Selection {
  const { chosen, plan, pools, rejected, afterDrain } = selection;
  return {
    ...selection,
    chosen: chosen && {
      ...chosen,
      loadOption: optionOf(chosen.loadOption),
      footprint: footprintOf(chosen.footprint),
    },
    plan: planOf(plan),
    pools: pools.map((pool) => ({ ...pool, growthBytes: 0 })),
    rejected: rejected.map((one) => ({
      ...one,
      rejection: rejectionOf(one.rejection),
      options: one.options.map(rejectionOf),
    })),
    afterDrain: afterDrain && { ...afterDrain, plan: planOf(afterDrain.plan) },
  };
}

function planOf(plan: Plan): Plan {
  return {
    ...plan,
    steps: plan.steps.map((step) =>
      step.action === 'load' ? { ...step, loadOption: optionOf(step.loadOption) } : step,
    ),
  };
}

function optionOf<Option extends LoadOption>(option: Option): Option {
  return { ...option, footprint: footprintOf(option.footprint) };
}

function footprintOf(footprint: Footprint | null): Footprint | null {
  return footprint && { ...footprint, growth: null };
}

function policyOf(policy: SelectionPolicy): SelectionPolicy {
  return { ...policy, growth: 'ignore' };
}

function rejectionOf(rejection: Rejection): Rejection {
  return 'shortfallBytes' in rejection ? { ...rejection, growthBytes: 0 } : rejection;
}
