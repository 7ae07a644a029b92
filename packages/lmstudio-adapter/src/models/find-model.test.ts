import * as fc from 'fast-check';

import { DEFAULT_LOAD_CONFIG, type DownloadedModel, type LoadConfig } from './model-types.js';
import { detectCapabilities } from './capabilities.js';
import { findModel } from './find-model.js';
import { fromWireLoadConfig, loadConfigProblem, toWireLoadConfig } from '../load/load-config-wire.js';
import { suggest } from './suggest.js';

const model = (part: Partial<DownloadedModel>): DownloadedModel => ({
  modelKey: 'a/b',
  kind: 'llm',
  displayName: 'B',
  publisher: 'a',
  architecture: null,
  format: 'gguf',
  quantization: null,
  sizeBytes: 1,
  parameters: null,
  maxContextLengthTokens: null,
  vision: false,
  toolUse: false,
  variants: [],
  selectedVariant: null,
  path: null,
  deviceIdentifier: null,
  ...part,
});

describe('detectCapabilities', () => {
  test.each<[string, Partial<DownloadedModel>, readonly string[]]>([
    ['llama-3.2-3b-instruct', {}, ['chat']],
    ['qwen/qwen3-4b', { toolUse: true }, ['chat', 'reasoning', 'tools']],
    ['qwen/qwen3-4b-2507', {}, ['chat', 'reasoning']],
    ['qwen/qwen3-4b-instruct-2507', {}, ['chat']],
    ['qwen/qwen3-4b-thinking-2507', {}, ['chat', 'reasoning']],
    ['qwen/qwen3-coder-30b', { toolUse: true }, ['chat', 'coding', 'tools']],
    ['qwen/qwen2.5-vl-7b', { vision: true }, ['chat', 'vision']],
    ['deepseek-r1-distill-llama-8b', {}, ['chat', 'reasoning']],
    ['openai/gpt-oss-20b', { toolUse: true }, ['chat', 'reasoning', 'tools']],
    ['mistralai/devstral-small', {}, ['chat', 'coding']],
    ['text-embedding-nomic-embed-text-v1.5', { kind: 'embedding' }, ['embedding']],
  ])('%s', (modelKey, part, expected) => {
    expect(detectCapabilities(model({ modelKey, ...part }))).toEqual(expected);
  });
});

describe('suggest', () => {
  const known = ['qwen/qwen3-4b', 'qwen/qwen3-8b', 'google/gemma-3-4b', 'openai/gpt-oss-20b'];
  test.each([
    ['qwen/qwen3-4', 'qwen/qwen3-4b'],
    ['Qwen3 4B', 'qwen/qwen3-4b'],
    ['gemma3-4b', 'google/gemma-3-4b'],
    ['gpt-oss', 'openai/gpt-oss-20b'],
    ['openai/gtp-oss-20b', 'openai/gpt-oss-20b'],
  ])('%s means %s', (typed, meant) => expect(suggest(typed, known)[0]).toBe(meant));

  test('names nothing for something else, and nothing for nothing', () => {
    expect(suggest('zzzzzzzz', known)).toEqual([]);
    expect(suggest('', known)).toEqual([]);
    expect(suggest('x', [])).toEqual([]);
  });

  test('a known name is its own best suggestion', () => {
    fc.assert(
      fc.property(fc.constantFrom(...known), (name) => {
        expect(suggest(name, known)[0]).toBe(name);
      }),
    );
  });
});

describe('findModel', () => {
  const models = [model({ modelKey: 'a/b', variants: ['a/b@q4'], path: 'p/r/f.gguf' })];
  test.each(['a/b', 'a/b@q4', 'p/r/f.gguf'])('%s names it', (key) => {
    expect(findModel(key, models).model).toBe(models[0]);
  });
  test('an unknown key comes with suggestions', () => {
    expect(findModel('a/bb', models)).toEqual({ model: null, suggestions: ['a/b'] });
  });
});

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

  test('only what is set is sent', () => {
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

  test('reads what LM Studio keeps, and leaves the rest null', () => {
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
    [{ offloadRatio: -0.01 }, false],
    [{ offloadRatio: 0 }, true],
    [{ offloadRatio: 1 }, true],
    [{ offloadRatio: 1.01 }, false],
    [{ offloadRatio: NaN }, false],
    [{ contextLengthTokens: 1 }, true],
    [{ contextLengthTokens: 1.5 }, false],
    [{ parallelSequences: 0 }, false],
    [{ kvCacheTypeV: 'bf16' as const }, false],
  ])('%j', (part, fine) => {
    expect(loadConfigProblem({ ...DEFAULT_LOAD_CONFIG, ...part }) === null).toBe(fine);
  });
});
