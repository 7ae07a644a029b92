import type { LoadConfig } from '@mai/memory-ledger';
import type { Selection, SelectionInput } from '@mai/selector';
import { formatPercent } from '../../terminal/format.js';

/**
 * The trade-offs of the chosen load option against the candidate's first one, which is as configured.
 * A shorter context is not listed: the selection has a note for that.
 */
export function describeConcessions(
  { chosen }: Pick<Selection, 'chosen'>,
  { candidates }: Pick<SelectionInput, 'candidates'>,
): readonly string[] {
  const wanted = candidates[chosen?.candidateIndex ?? -1]?.loadOptions[0]?.loadConfig;
  if (chosen === null || wanted === undefined) return [];
  const { loadConfig } = chosen.loadOption;
  const { cpuExpertRatio, offloadRatio } = loadConfig;
  return [
    ...concededCache(loadConfig, wanted),
    ...(cpuExpertRatio !== null && cpuExpertRatio > (wanted.cpuExpertRatio ?? 0)
      ? [`${formatPercent(cpuExpertRatio)} of the expert layers on the CPU: slower`]
      : []),
    ...(offloadRatio !== null && offloadRatio < (wanted.offloadRatio ?? 1)
      ? [`only ${formatPercent(offloadRatio)} of the layers on the GPU: slower`]
      : []),
  ];
}

function concededCache(
  { kvCacheTypeK: k, kvCacheTypeV: v }: LoadConfig,
  wanted: LoadConfig,
): readonly string[] {
  if (k === null || v === null || (k === wanted.kvCacheTypeK && v === wanted.kvCacheTypeV)) {
    return [];
  }
  return [`the KV cache in ${k === v ? k : `${k} and ${v}`}: less exact`];
}
