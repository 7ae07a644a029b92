import { DEFAULT_LOAD_CONFIG, type LoadConfig } from '@mai/memory-ledger';
import * as fc from 'fast-check';

import { fromWireLoadConfig, loadConfigProblem, toWireLoadConfig } from './load-config-wire.js';

describe('load configurations on the wire', () => {
  const ratio = fc.double({ min: 0, max: 1, noNaN: true });
  const kvType = fc.constantFrom('f32', 'f16', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0', 'iq4_nl');
  const optional = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values);
  const configs: fc.Arbitrary<LoadConfig> = fc.record({
    contextLengthTokens: optional(fc.integer({ min: 1, max: 1e6 })),
    parallelSequences: optional(fc.integer({ min: 1, max: 16 })),
    offloadRatio: optional(ratio),
    kvCacheTypeK: optional(kvType),
    kvCacheTypeV: optional(kvType),
    flashAttention: optional(fc.boolean()),
    cpuExpertRatio: optional(ratio),
  });

  test('sends only the fields that are set', () => {
    expect(toWireLoadConfig('llm', DEFAULT_LOAD_CONFIG, null)).toEqual({});
    fc.assert(
      fc.property(configs, (config) => {
        expect(loadConfigProblem(config)).toBeNull();
        const sent = toWireLoadConfig('llm', config, null);
        const { gpu, ...rest } = sent;
        const count = Object.keys(rest).length + Object.keys(gpu ?? {}).length;
        expect(count).toBe(Object.values(config).filter((value) => value !== null).length);
        expect(JSON.stringify(sent)).not.toContain('null');
      }),
    );
  });

  test('reads the fields that LM Studio reports, and leaves the rest null', () => {
    const fields = [
      { key: 'llm.load.contextLength', value: 8192 },
      { key: 'llm.load.llama.acceleration.offloadRatio', value: 'max' },
      { key: 'llm.load.numCpuExpertLayersRatio', value: 'off' },
      { key: 'llm.load.llama.kCacheQuantizationType', value: { checked: true, value: 'q8_0' } },
      { key: 'llm.load.llama.vCacheQuantizationType', value: { checked: false, value: 'q4_0' } },
      { key: 'llm.load.llama.keepModelInMemory', value: true },
      { key: 'embedding.load.contextLength', value: 1 },
    ];
    expect(fromWireLoadConfig('llm', fields)).toEqual({
      loadConfig: {
        contextLengthTokens: 8192,
        parallelSequences: null,
        offloadRatio: 1,
        kvCacheTypeK: 'q8_0',
        kvCacheTypeV: 'f16',
        flashAttention: null,
        cpuExpertRatio: 0,
      },
      keepModelInMemory: true,
    });
    expect(fromWireLoadConfig('embedding', fields).loadConfig.contextLengthTokens).toBe(1);
    expect(fromWireLoadConfig('llm', []).loadConfig).toEqual(DEFAULT_LOAD_CONFIG);
  });

  test.each([
    [0, null],
    [1, 1],
    [256, 256],
    [257, null],
    [2.5, null],
  ])('reads %j parallel sequences as %j', (value, expected) => {
    const { loadConfig } = fromWireLoadConfig('llm', [
      { key: 'llm.load.numParallelSessions', value },
    ]);
    expect(loadConfig.parallelSequences).toBe(expected);
  });

  test.each([
    [{ offloadRatio: -0.01 }, false],
    [{ offloadRatio: 0 }, true],
    [{ offloadRatio: 1 }, true],
    [{ offloadRatio: 1.01 }, false],
    [{ offloadRatio: NaN }, false],
    [{ contextLengthTokens: 1 }, true],
    [{ contextLengthTokens: 1.5 }, false],
    [{ parallelSequences: 0 }, false],
    [{ kvCacheTypeV: 'bf16' as const }, false],
  ])('whether LM Studio can load with %j', (part, fine) => {
    expect(loadConfigProblem({ ...DEFAULT_LOAD_CONFIG, ...part }) === null).toBe(fine);
  });
});
