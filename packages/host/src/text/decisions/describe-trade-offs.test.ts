import type { TradeOff } from '@mai/autopilot';
import { describeTradeOffs } from './describe-trade-offs.js';

const CONTEXT: TradeOff = { kind: 'shorter-context', fromTokens: 32_768, toTokens: 4096 };
const cache = (toK: 'q8_0' | 'q4_0', toV: 'q8_0' | 'q4_0'): TradeOff => ({
  kind: 'kv-cache-type',
  fromK: null,
  fromV: null,
  toK,
  toV,
});

test.each<[readonly TradeOff[], string]>([
  [[], ''],
  [[CONTEXT], '4,096 tokens of context instead of 32,768'],
  [[cache('q8_0', 'q8_0')], 'the KV cache in q8_0 (less exact)'],
  [[cache('q8_0', 'q4_0')], 'the KV cache in q8_0/q4_0 (less exact)'],
  [[{ kind: 'flash-attention' }], 'flash attention'],
  [[{ kind: 'experts-on-cpu', ratio: 0.5 }], '50 % of the expert layers on the CPU (slower)'],
  [[{ kind: 'less-offload', ratio: 0.25 }], 'only 25 % of the layers on the GPU (slower)'],
  [
    [cache('q4_0', 'q4_0'), CONTEXT],
    'the KV cache in q4_0 (less exact) and 4,096 tokens of context instead of 32,768',
  ],
])('%j is described as: %s', (tradeOffs, words) => {
  expect(describeTradeOffs(tradeOffs)).toBe(words);
});
