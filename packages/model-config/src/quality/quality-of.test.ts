import type { ModelSection } from '../format/model-config-file.js';
import { defineModelConfig } from '../parse/define-model-config.js';
import { mergeWithDownloaded } from '../profile/merge-with-downloaded.js';
import { familyOf, familyOfArchitecture } from './comparable-name.js';
import { qualityOf, qualityUseOf, type QualityFacts } from './quality-of.js';

const facts = (modelKey: string, part: Partial<QualityFacts> = {}): QualityFacts => ({
  modelKey,
  displayName: null,
  baseModels: [],
  architecture: null,
  parameters: null,
  activeParameters: null,
  sizeLabel: null,
  quantization: null,
  fileName: null,
  capabilities: ['chat'],
  reasoning: null,
  quality: null,
  ...part,
});
const generalOf = (modelKey: string, part: Partial<QualityFacts> = {}) =>
  qualityOf(facts(modelKey, part), 'general');

describe('the quality of a model', () => {
  test('of an unknown model is higher for reasoning where it can think, lower where it cannot', () => {
    const reasoningOf = (part: Partial<QualityFacts>) =>
      qualityOf(facts('someone/their-tune', { sizeLabel: '8B', ...part }), 'reasoning')?.quality;
    const [thinks, unknown, answers] = [
      reasoningOf({ capabilities: ['chat', 'reasoning'], reasoning: true }),
      reasoningOf({ reasoning: null }),
      reasoningOf({ reasoning: false }),
    ];
    expect(thinks).toBeGreaterThan(answers ?? 1);
    expect(unknown).toBe(answers);
    // Most models of its family think.
    const relative = { modelKey: 'someone/their-qwen3.5', architecture: 'qwen35' };
    expect(reasoningOf({ ...relative, reasoning: null })).toBeGreaterThan(
      reasoningOf({ ...relative, reasoning: false }) ?? 1,
    );
  });

  test('is the published figure where the model has results, with their source and date', () => {
    const large = generalOf('openai/gpt-oss-120b', { parameters: 117e9 });
    const small = generalOf('google/gemma-3-1b', { parameters: 1e9 });
    expect([large?.source, small?.source]).toEqual(['published', 'published']);
    expect(large?.quality).toBeGreaterThan(small?.quality ?? 1);
    expect(large?.published).toEqual({ by: 'Artificial Analysis', date: '2026-07-10' });
    expect(qualityOf(facts('google/gemma-3-12b'), 'chat')?.published).toEqual({
      by: 'LMArena',
      date: '2025-12-17',
    });
  });

  test('is derived from size, date and family where the model has no results', () => {
    const unknown = (size: string, month: string) =>
      generalOf(`nobody/nothing-${month}`, { sizeLabel: size });
    const [old, recent, larger] = [
      unknown('8B', '2401'),
      unknown('8B', '2601'),
      unknown('70B', '2601'),
    ];
    expect(recent?.source).toBe('derived');
    expect(recent?.published).toBeNull();
    expect(recent?.quality).toBeGreaterThan(old?.quality ?? 1);
    expect(larger?.quality).toBeGreaterThan(recent?.quality ?? 1);
  });

  test('is derived from the family of the architecture where the name says nothing', () => {
    const named = (architecture: string) =>
      generalOf('someone/their-tune', { architecture, sizeLabel: '8B' })?.quality ?? 0;
    expect(named('qwen3')).not.toBe(named('llama'));
    expect(named('mystery')).toBe(named('llama'));
    expect(named('hunyuan-dense')).not.toBe(named('llama'));
  });

  test('is derived from the base models where the name says nothing, and never the published figure of one', () => {
    const tuned = (baseModels: readonly string[], key = 'someone/their-tune') =>
      generalOf(key, { baseModels, architecture: 'llama', sizeLabel: '24B' });
    const small = 'Mistral Small 3.1 24B Instruct 2503';
    expect(generalOf(small, { sizeLabel: '24B' })?.source).toBe('published');
    expect(tuned([small])).toMatchObject({ source: 'derived', published: null });
    expect(tuned([small])?.quality).toBe(tuned([], 'mistral-small-3.1-tune-2503')?.quality);
    expect(tuned([small])?.quality).not.toBe(tuned([])?.quality);
    expect(tuned(['Their Merge', small])?.quality).toBe(tuned([small])?.quality);
    expect(tuned(['Qwen3 8B'], 'gemma-3-tune')?.quality).toBe(tuned([], 'gemma-3-tune')?.quality);
  });

  test.each([
    ['qwen3', 'Qwen3'],
    ['qwen3next', 'Qwen3'],
    ['qwen35moe', 'Qwen3.x'],
    ['qwen3_5_text', 'Qwen3.x'],
    ['qwen3_6_moe', 'Qwen3.x'],
    ['gemma4', 'Gemma4'],
    ['llama4', 'Llama'],
    // Many makers use both.
    ['llama', null],
    ['deepseek2', null],
    ['hunyuan-dense', null],
  ])('takes %s for the architecture of the family %s', (architecture, family) => {
    expect(familyOfArchitecture(architecture)).toBe(family);
  });

  test.each([
    ['qwen3-5b', 'Qwen3'],
    ['Qwen3-8B-Q4_K_M', 'Qwen3'],
    ['Qwen3.5-9B', 'Qwen3.x'],
  ])('takes %s for a model of the family %s', (name, family) => {
    expect(familyOf(name)).toBe(family);
  });

  test('is not taken from another model with a shorter name', () => {
    const named = (displayName: string) =>
      generalOf('qwen/qwen3-4b-2507', { displayName, sizeLabel: '4B' })?.source;
    expect(named('Qwen3 4B')).toBe('derived');
    expect(generalOf('qwen/qwen3-8b', { displayName: 'My favourite' })?.source).toBe('published');
    expect(generalOf('8b', { displayName: 'Qwen3 8B' })?.source).toBe('published');
    expect(generalOf('their-tune', { displayName: 'Qwen3 8B', sizeLabel: '8B' })?.source).toBe(
      'derived',
    );
  });

  test("is the user's own figure where there is one, for every use or for one", () => {
    const own = (quality: ModelSection['quality'], use: 'coding' | 'chat') => {
      const key = 'openai/gpt-oss-120b';
      const config = defineModelConfig({ version: 1, models: [{ key, quality }] });
      const [profile] = mergeWithDownloaded(config, []);
      const given = facts(key, { quality: profile?.quality ?? null, quantization: 'Q2_K' });
      return qualityOf(given, use);
    };
    expect(own(0.2, 'coding')).toMatchObject({ quality: 0.2, source: 'configured' });
    expect(own({ coding: 0.2 }, 'coding')?.quality).toBe(0.2);
    expect(own({ coding: 0 }, 'coding')?.quality).toBe(0);
    expect(own({ coding: 0.2 }, 'chat')?.source).toBe('published');
  });

  test('is not known for embedding models, for vision without the capability, and without a size', () => {
    const embedding = facts('text-embedding-qwen3-embedding-4b', { capabilities: ['embedding'] });
    expect(qualityOf(embedding, 'general')).toBeNull();
    expect(qualityOf(facts('google/gemma-3-12b'), 'vision')).toBeNull();
    expect(qualityOf(facts('a/b'), 'general')).toBeNull();
    const sees = facts('google/gemma-3-12b', { capabilities: ['chat', 'vision'] });
    expect(qualityOf(sees, 'vision')?.source).toBe('published');
  });

  test('loses what the quantization and the cache cost, and nothing for an unknown type', () => {
    const model = { sizeLabel: '8B', quantization: 'Q4_K_M' };
    const q4 = qualityOf(facts('meta-llama-3.1-8b-instruct', model), 'general');
    expect(q4?.quantizationLoss).toBeCloseTo(0.0139, 4);
    expect(q4?.quality).toBeCloseTo((q4?.beforeLosses ?? 0) * (1 - 0.0139), 6);
    const q8Cache = qualityOf(facts('meta-llama-3.1-8b-instruct', model), 'general', {
      kvCacheTypeK: 'q8_0',
      kvCacheTypeV: 'q8_0',
    });
    expect(q8Cache?.kvCacheLoss).toBeGreaterThan(0);
    expect(q8Cache?.quality).toBeLessThan(q4?.quality ?? 0);
    const unknown = qualityOf(
      facts('meta-llama-3.1-8b-instruct', { quantization: 'X' }),
      'general',
    );
    expect(unknown?.quantizationLoss).toBeNull();
    expect(unknown?.quality).toBe(unknown?.beforeLosses);
  });

  // mohitsoni48/TurboLLM #171
  test.each([
    ['Qwen3.8-27B-UD-IQ2_M.gguf', 'Q4_K_S', 'IQ2_M'],
    ['Muse-Glimmer-30B-UD-Q2_K_XL-00001-of-00002.gguf', 'Q4_K_M', 'Q2_K'],
    ['model.gguf', 'Q4_K_M', 'Q4_K_M'],
    ['sha256-4d8b', 'Q4_K_M', 'Q4_K_M'],
    // A word that belongs to no known type.
    ['A-Q2_K_S_mixed_AutoRound.gguf', 'Q2_K_S', 'Q2_K_S'],
  ])('of %s with %s in its header loses what %s costs', (fileName, quantization, type) => {
    const loss = (part: Partial<QualityFacts>) =>
      generalOf('qwen/qwen3-8b', { sizeLabel: '8B', ...part })?.quantizationLoss;
    expect(loss({ fileName, quantization })).toBe(loss({ quantization: type }));
    expect(loss({ quantization: type })).toBeGreaterThan(0);
  });
});

test('models without vision, coding, reasoning and tools are compared by their general quality', () => {
  expect(qualityUseOf(['chat', 'analysis'])).toBe('general');
  expect(qualityUseOf(['chat', 'coding', 'tools'])).toBe('coding');
  expect(qualityUseOf(['vision'])).toBe('vision');
});
