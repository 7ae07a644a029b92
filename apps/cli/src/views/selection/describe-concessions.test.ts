import type { LoadConfig } from '@mai/memory-ledger';
import { builtInModelConfig, toSelectionPolicy } from '@mai/model-config';
import type { SelectionInput } from '@mai/selector';
import { selectModel } from '@mai/selector';
import { describeConcessions } from './describe-concessions.js';

const GIB = 2 ** 30;
const CONFIGURED: LoadConfig = {
  contextLengthTokens: 32_768,
  parallelSequences: null,
  offloadRatio: null,
  kvCacheTypeK: null,
  kvCacheTypeV: null,
  flashAttention: null,
  cpuExpertRatio: null,
};

/** What is said where only the second way to load a model fits. */
function givenUp(change: Partial<LoadConfig>) {
  const option = (loadConfig: LoadConfig, gib: number) => ({
    loadConfig,
    footprint: {
      ram: { mappedBytes: 0, anonymousBytes: gib * GIB },
      gpus: [],
      interval: null,
      source: 'gguf-header' as const,
      confidence: 'high' as const,
    },
    guardrails: null,
  });
  const input: SelectionInput = {
    candidates: [
      {
        modelKey: 'acme/thing',
        displayName: 'Thing',
        tier: 'large',
        capabilities: ['chat'],
        downloaded: true,
        maxContextLengthTokens: null,
        loadOptions: [option(CONFIGURED, 60), option({ ...CONFIGURED, ...change }, 8)],
        coolingDownUntilMs: null,
      },
    ],
    requirement: { capabilities: ['chat'], minContextLengthTokens: null, tiers: null },
    resources: {
      timestampMs: 0,
      observable: true,
      ram: { totalBytes: 32 * GIB, availableBytes: 30 * GIB, mappedCountsAsUsed: false },
      unified: false,
      gpus: [],
      cpu: { utilizationRatio: null, othersRatio: null },
    },
    residents: [],
    policy: toSelectionPolicy(builtInModelConfig().switching),
  };
  const selection = selectModel(input);
  expect(selection.chosen?.optionIndex).toBe(1);
  return describeConcessions(selection, input);
}

test.each<[Partial<LoadConfig>, readonly string[]]>([
  [{ contextLengthTokens: 4096 }, []],
  [{ kvCacheTypeK: 'q8_0', kvCacheTypeV: 'q8_0' }, ['the KV cache in q8_0: less exact']],
  [{ kvCacheTypeK: 'q8_0', kvCacheTypeV: 'q4_0' }, ['the KV cache in q8_0 and q4_0: less exact']],
  [{ cpuExpertRatio: 0.5 }, ['50 % of the expert layers on the CPU: slower']],
  [{ offloadRatio: 0.25 }, ['only 25 % of the layers on the GPU: slower']],
])('%j trades off %j', (change, words) => {
  expect(givenUp(change)).toEqual(words);
});

test('names every trade-off of a load option', () => {
  expect(
    givenUp({ kvCacheTypeK: 'q4_0', kvCacheTypeV: 'q4_0', cpuExpertRatio: 1, offloadRatio: 0 }),
  ).toHaveLength(3);
});
