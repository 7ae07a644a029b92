import type { TradeOff } from '@mai/autopilot';
import type { LoadConfig } from '@mai/memory-ledger';
import type { Selection, SelectionInput } from '@mai/selector';
import { formatCount, formatPercent } from '../terminal/format.js';

/**
 * What the chosen load option gives up against the first one of its candidate, which is as configured. A
 * shorter context is left out: the selection has a note of its own for that.
 */
export function describeConcessions(
  { chosen }: Pick<Selection, 'chosen'>,
  { candidates }: Pick<SelectionInput, 'candidates'>,
): readonly string[] {
  const wanted = candidates[chosen?.candidateIndex ?? -1]?.loadOptions[0]?.loadConfig;
  if (chosen === null || wanted === undefined) return [];
  return tradeOffsOf(chosen.loadOption.loadConfig, wanted).map(describeTradeOff);
}

/** One trade-off in words. */
export function describeTradeOff(tradeOff: TradeOff): string {
  switch (tradeOff.kind) {
    case 'shorter-context': {
      const { fromTokens, toTokens } = tradeOff;
      return `${formatCount(toTokens)} tokens of context instead of ${formatCount(fromTokens)}`;
    }
    case 'kv-cache-type': {
      const { toK, toV } = tradeOff;
      return `the KV cache in ${toK === toV ? toK : `${toK} and ${toV}`}: less exact`;
    }
    case 'flash-attention':
      return 'flash attention';
    case 'experts-on-cpu':
      return `${formatPercent(tradeOff.ratio)} of the expert layers on the CPU: slower`;
    case 'less-offload':
      return `only ${formatPercent(tradeOff.ratio)} of the layers on the GPU: slower`;
  }
}

function tradeOffsOf(
  { kvCacheTypeK: toK, kvCacheTypeV: toV, cpuExpertRatio, offloadRatio }: LoadConfig,
  wanted: LoadConfig,
): readonly TradeOff[] {
  const { kvCacheTypeK: fromK, kvCacheTypeV: fromV } = wanted;
  const tradeOffs: TradeOff[] = [];
  if (toK !== null && toV !== null && (toK !== fromK || toV !== fromV)) {
    tradeOffs.push({ kind: 'kv-cache-type', fromK, fromV, toK, toV });
  }
  if (cpuExpertRatio !== null && cpuExpertRatio > (wanted.cpuExpertRatio ?? 0)) {
    tradeOffs.push({ kind: 'experts-on-cpu', ratio: cpuExpertRatio });
  }
  if (offloadRatio !== null && offloadRatio < (wanted.offloadRatio ?? 1)) {
    tradeOffs.push({ kind: 'less-offload', ratio: offloadRatio });
  }
  return tradeOffs;
}
