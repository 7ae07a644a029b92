import type { SelectionPolicy } from '@mai/memory-ledger';
import type { DecisionRecord } from './decision-record.js';

/**
 * Adds the fields about speed and quality to a record of version 1 to 3, which had none: they are not known, and
 * no minimum speed is in force.
 *
 * @throws TypeError where the record is damaged.
 */
export function withoutSpeeds(record: DecisionRecord): DecisionRecord {
  const { input, selection, hysteresis } = record;
  const { chosen } = selection;
  const unknown = { quality: null, tokensPerSecond: null };
  return {
    ...record,
    input: { ...input, policy: policyOf(input.policy) },
    selection: {
      ...selection,
      chosen: chosen && { ...chosen, cost: chosen.optionIndex === 0 ? null : unknown },
    },
    hysteresis: { ...hysteresis, policy: policyOf(hysteresis.policy) },
  };
}

function policyOf(policy: SelectionPolicy): SelectionPolicy {
  return { ...policy, goal: 'balanced', minTokensPerSecond: 0 };
}
