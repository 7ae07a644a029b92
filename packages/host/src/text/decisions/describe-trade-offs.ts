import type { TradeOff } from '@mai/autopilot';
import { formatCount, formatPercent } from '../../words.js';

/** The trade-offs of a load option, as a phrase that follows 'fits with'. */
export function describeTradeOffs(tradeOffs: readonly TradeOff[]): string {
  return tradeOffs.map(describeTradeOff).join(' and ');
}

function describeTradeOff(tradeOff: TradeOff): string {
  switch (tradeOff.kind) {
    case 'shorter-context': {
      const { fromTokens, toTokens } = tradeOff;
      return `${formatCount(toTokens)} tokens of context instead of ${formatCount(fromTokens)}`;
    }
    case 'kv-cache-type': {
      const { toK, toV } = tradeOff;
      return `the KV cache in ${toK === toV ? toK : `${toK}/${toV}`} (less exact)`;
    }
    case 'flash-attention':
      return 'flash attention';
    case 'experts-on-cpu':
      return `${formatPercent(tradeOff.ratio)} of the expert layers on the CPU (slower)`;
    case 'less-offload':
      return `only ${formatPercent(tradeOff.ratio)} of the layers on the GPU (slower)`;
  }
}
