import { formatCount, formatPercent } from '@mai/host';
import type { Selection, SelectionInput } from '@mai/host';
import type { LoadConfig } from '@mai/memory-ledger';

/** The trade-offs of a load configuration compared with the wanted one, each in a few words. */
export function describeTradeOffs(wanted: LoadConfig, offered: LoadConfig): readonly string[] {
  const { contextLengthTokens, cpuExpertRatio, offloadRatio } = offered;
  return [
    ...(contextLengthTokens === wanted.contextLengthTokens
      ? []
      : [
          `${formatCount(contextLengthTokens)} tokens of context instead of ${formatCount(wanted.contextLengthTokens)}`,
        ]),
    ...cacheTradeOff(wanted, offered),
    ...(wanted.flashAttention === false && offered.flashAttention === true
      ? ['flash attention']
      : []),
    ...(cpuExpertRatio !== null && cpuExpertRatio > (wanted.cpuExpertRatio ?? 0)
      ? [`${formatPercent(cpuExpertRatio)} of the expert layers on the CPU: slower`]
      : []),
    ...(offloadRatio !== null && offloadRatio < (wanted.offloadRatio ?? 1)
      ? [`only ${formatPercent(offloadRatio)} of the layers on the GPU: slower`]
      : []),
  ];
}

/**
 * The trade-offs of the chosen load option compared with its candidate's first option, which is
 * the configured one. Without the context length, which has a note of its own.
 */
export function describeTradeOffsOf(
  { chosen }: Pick<Selection, 'chosen'>,
  { candidates }: Pick<SelectionInput, 'candidates'>,
): readonly string[] {
  const wanted = candidates[chosen?.candidateIndex ?? -1]?.loadOptions[0]?.loadConfig;
  if (chosen === null || wanted === undefined) return [];
  const { contextLengthTokens } = wanted;
  return describeTradeOffs(wanted, { ...chosen.loadOption.loadConfig, contextLengthTokens });
}

function cacheTradeOff(
  wanted: LoadConfig,
  { kvCacheTypeK: k, kvCacheTypeV: v }: LoadConfig,
): readonly string[] {
  if (k === null || v === null || (k === wanted.kvCacheTypeK && v === wanted.kvCacheTypeV)) {
    return [];
  }
  return [`the KV cache in ${k === v ? k : `${k} and ${v}`}: less exact`];
}
