import type { SelectionPolicy } from '@mai/memory-ledger';
import type { SwitchingConfig } from './model-config.js';

/** The policy of a decision: the fields of `switching` except those that only the autopilot's loop reads. */
export function toSelectionPolicy(switching: SwitchingConfig): SelectionPolicy {
  const { idle: _idle, drainDeadlineMs: _drainDeadlineMs, ...policy } = switching;
  return policy;
}
