import type { AssembledLoadOption, TradeOff } from '@mai/autopilot';
import type { LoadOption, Selection, SelectionInput } from '@mai/selector';
import { asServed } from './as-served.js';

/**
 * The trade-offs of the chosen load option. Empty where nothing was chosen, and for decision records of version 1,
 * which do not contain trade-offs.
 */
export function tradeOffsOf(
  selection: Pick<Selection, 'chosen'>,
  input: Pick<SelectionInput, 'candidates' | 'residents'>,
): readonly TradeOff[] {
  const { chosen } = asServed(selection, input);
  if (chosen === null) return [];
  const option = input.candidates[chosen.candidateIndex]?.loadOptions[chosen.optionIndex];
  if (option === undefined || !saysTradeOffs(option)) return [];
  const { contextLengthTokens } = chosen.loadOption.loadConfig;
  return option.tradeOffs.flatMap((one) => {
    if (one.kind !== 'shorter-context' || contextLengthTokens === null) return [one];
    return contextLengthTokens < one.fromTokens ? [{ ...one, toTokens: contextLengthTokens }] : [];
  });
}

function saysTradeOffs(option: LoadOption): option is AssembledLoadOption {
  return 'tradeOffs' in option && Array.isArray(option.tradeOffs);
}
