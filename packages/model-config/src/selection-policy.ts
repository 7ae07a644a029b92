import type { SwitchingConfig } from './model-config.js';

/** The part of `switching` that a decision needs. Ratios are 0 to 1. */
export interface SelectionPolicy {
  readonly memoryLimitRatio: number;
  readonly vramLimitRatio: number;
  readonly cpuLimitRatio: number;
  readonly hardLimitRatio: number;
  readonly unifiedHardLimitRatio: number;
  readonly upgradeBelowRatioMin: number;
  readonly minHeadroomBytes: number;
  readonly dwellMs: number;
  readonly coolDownMs: number;
  readonly foreign: 'observe' | 'evict-idle' | 'evict';
  readonly foreignIdleMs: number;
}

/** The policy of a decision: `switching` without the fields that only the loop reads. */
export function toSelectionPolicy(switching: SwitchingConfig): SelectionPolicy {
  const { idle: _idle, drainDeadlineMs: _drainDeadlineMs, ...policy } = switching;
  return policy;
}
