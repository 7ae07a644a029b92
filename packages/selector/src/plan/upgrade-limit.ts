import { LIMIT, type Limit } from '@mai/memory-ledger';
import type { SelectionInput } from '../input.js';

/** The limit for more memory than staying takes: a step up, or a longer context than is needed. */
export function upgradeLimit({
  policy,
  upgradeMarginRatio,
}: Pick<SelectionInput, 'policy' | 'upgradeMarginRatio'>): Limit {
  return upgradeMarginRatio == null
    ? LIMIT
    : { kind: 'upgrade', marginRatio: upgradeMarginRatio, floorRatio: policy.upgradeBelowRatioMin };
}
