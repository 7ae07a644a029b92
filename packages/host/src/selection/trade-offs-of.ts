import type { AssembledLoadOption, TradeOff } from '@mai/autopilot';
import type { LoadOption, Selection, SelectionInput } from '@mai/selector';

/**
 * What the chosen load option gives up compared with the configured one. Empty where nothing was
 * chosen, and for a decision record of version 1, which has no such data.
 */
export function tradeOffsOf(
  { chosen }: Pick<Selection, 'chosen'>,
  { candidates }: Pick<SelectionInput, 'candidates'>,
): readonly TradeOff[] {
  if (chosen === null) return [];
  const option = candidates[chosen.candidateIndex]?.loadOptions[chosen.optionIndex];
  return option !== undefined && saysTradeOffs(option) ? option.tradeOffs : [];
}

function saysTradeOffs(option: LoadOption): option is AssembledLoadOption {
  return 'tradeOffs' in option && Array.isArray(option.tradeOffs);
}
