import { checkRange, type SelectionPolicy } from '@mai/memory-ledger';
import type { SelectionInput } from './input.js';

/** The fields of a policy that are shares, 0 to 1. */
const RATIOS = [
  'memoryLimitRatio',
  'vramLimitRatio',
  'cpuLimitRatio',
  'hardLimitRatio',
  'unifiedHardLimitRatio',
  'upgradeBelowRatioMin',
] as const satisfies readonly (keyof SelectionPolicy)[];

/** The other numbers of a policy, which are at least 0. */
const AMOUNTS = [
  'minHeadroomBytes',
  'dwellMs',
  'coolDownMs',
  'foreignIdleMs',
  'minTokensPerSecond',
] as const satisfies readonly (keyof SelectionPolicy)[];

/**
 * Checks the numbers that a caller chooses. A comparison with NaN is false, so a limit of NaN would let a full machine pass as free.
 * @throws RangeError for a number that is NaN or out of its range.
 */
export function checkInput({
  policy,
  requirement,
  upgradeMarginRatio,
  callersWait,
}: Pick<SelectionInput, 'policy' | 'requirement' | 'upgradeMarginRatio' | 'callersWait'>): void {
  checkPolicy(policy);
  for (const name of ['minContextLengthTokens', 'preferredContextLengthTokens'] as const) {
    const tokens = requirement[name];
    if (tokens != null) checkRange(`requirement.${name}`, tokens, 0);
  }
  if (upgradeMarginRatio != null) checkRange('upgradeMarginRatio', upgradeMarginRatio, 0, 1);
  if (callersWait != null) {
    checkRange('callersWait.longestMs', callersWait.longestMs, 0);
    checkRange('callersWait.servesMs', callersWait.servesMs, 0);
  }
}

/** @throws RangeError for a number of the policy that is NaN or out of its range. */
export function checkPolicy(policy: SelectionPolicy): void {
  for (const name of RATIOS) checkRange(`policy.${name}`, policy[name], 0, 1);
  for (const name of AMOUNTS) checkRange(`policy.${name}`, policy[name], 0);
}
