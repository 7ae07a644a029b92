import type { AssembledLoadOption, TradeOff } from '@mai/autopilot';
import type { LoadOption, Selection, SelectionInput } from '@mai/selector';

/**
 * The trade-offs of the chosen load option. Empty where nothing was chosen, and for decision records of version 1,
 * which do not contain trade-offs.
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
