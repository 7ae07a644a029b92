import { DEFAULT_LOAD_CONFIG, type LoadConfig } from '@mai/memory-ledger';
import { describeTradeOffs } from './describe-trade-offs.js';

const CONFIGURED: LoadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 32_768 };

test.each<[Partial<LoadConfig>, readonly string[]]>([
  [{}, []],
  [{ contextLengthTokens: 4096 }, ['4,096 tokens of context instead of 32,768']],
  [{ kvCacheTypeK: 'q8_0', kvCacheTypeV: 'q8_0' }, ['the KV cache in q8_0: less exact']],
  [{ kvCacheTypeK: 'q8_0', kvCacheTypeV: 'q4_0' }, ['the KV cache in q8_0 and q4_0: less exact']],
  [{ flashAttention: true }, []],
  [{ cpuExpertRatio: 0.5 }, ['50 % of the expert layers on the CPU: slower']],
  [{ offloadRatio: 0.25 }, ['only 25 % of the layers on the GPU: slower']],
])('%j gives up %j', (change, words) => {
  expect(describeTradeOffs(CONFIGURED, { ...CONFIGURED, ...change })).toEqual(words);
});

test('names flash attention where it was switched off', () => {
  const wanted = { ...CONFIGURED, flashAttention: false };
  expect(describeTradeOffs(wanted, { ...CONFIGURED, flashAttention: true })).toEqual([
    'flash attention',
  ]);
});

test('names every trade-off', () => {
  const change = { kvCacheTypeK: 'q4_0', kvCacheTypeV: 'q4_0', cpuExpertRatio: 1, offloadRatio: 0 };
  expect(describeTradeOffs(CONFIGURED, { ...CONFIGURED, ...change } as LoadConfig)).toHaveLength(3);
});
