import type { ModelFacts } from './model-facts.js';
import { derivedQualityOf, qualityOf } from './quality-of.js';
import { afterKvCacheType, afterQuantization } from './quantization-loss.js';

const facts = (name: string, part: Partial<ModelFacts> = {}): ModelFacts => ({
  names: [name],
  family: null,
  releaseDate: null,
  parameters: null,
  reasoning: null,
  vision: null,
  ...part,
});
const llama = (billions: number) => ({
  names: ['Llama 3'],
  parameters: billions * 1e9,
  activeParameters: billions * 1e9,
});

describe('the quality of a model', () => {
  test('is the published figure where the model has results', () => {
    const large = qualityOf(facts('openai/gpt-oss-120b', { parameters: 117e9 }), 'general');
    const small = qualityOf(facts('google/gemma-3-1b', { parameters: 1e9 }), 'general');
    expect([large?.source, small?.source]).toEqual(['published', 'published']);
    expect(large?.quality).toBeGreaterThan(small?.quality ?? 1);
  });

  test('is derived from size, date and family where it has none', () => {
    const unknown = (parameters: number, releaseDate: string) =>
      qualityOf(facts('nobody/nothing', { parameters, releaseDate }), 'general');
    const [old, recent, larger] = [
      unknown(8e9, '2024-01-01'),
      unknown(8e9, '2026-01-01'),
      unknown(70e9, '2026-01-01'),
    ];
    expect(recent?.source).toBe('derived');
    expect(recent?.quality).toBeGreaterThan(old?.quality ?? 1);
    expect(larger?.quality).toBeGreaterThan(recent?.quality ?? 1);
  });

  test("is the user's own figure where there is one, for every use or for one", () => {
    const model = facts('openai/gpt-oss-120b', { parameters: 117e9 });
    expect(qualityOf(model, 'coding', 0.2)).toEqual({ quality: 0.2, source: 'configured' });
    expect(qualityOf(model, 'chat', { coding: 0.2 })?.source).not.toBe('configured');
  });

  test('has no figure for vision where the model does not see, or of unknown size', () => {
    expect(qualityOf(facts('a/b', { parameters: 8e9, vision: false }), 'vision')).toBeNull();
    expect(derivedQualityOf(facts('a/b'), 'general')).toBeNull();
  });
});

// Source: bench/data/quality/quantization.json, Llama 3 8B.
test.each([
  ['Q6_K', 0.0035],
  ['Q5_K_M', 0.0075],
  ['Q4_K_M', 0.014],
  ['IQ4_XS', 0.02],
  ['Q3_K_M', 0.058],
  ['IQ3_XXS', 0.116],
  ['Q2_K', 0.23],
  ['IQ2_XXS', 0.54],
])('%s costs Llama 3 8B a share of %d', (type, loss) => {
  const left = afterQuantization(1, llama(8), type) ?? 0;
  expect(Math.abs(1 - left - loss)).toBeLessThan(Math.max(0.002, 0.12 * loss));
});

test('a larger model loses less: the 70B about a third of what the 8B loses', () => {
  const lossOf = (billions: number) => 1 - (afterQuantization(1, llama(billions), 'Q3_K_M') ?? 0);
  expect(lossOf(70) / lossOf(8)).toBeGreaterThan(0.2);
  expect(lossOf(70) / lossOf(8)).toBeLessThan(0.45);
});

test('a type that is not known has no figure', () => {
  expect(afterQuantization(1, llama(8), 'Q9_Z')).toBeNull();
});

test('a quantized cache costs Gemma 4 more than Llama 3, and a plain cache costs nothing', () => {
  const gemma = { names: ['Gemma 4 26B A4B'], parameters: 26e9, activeParameters: 4e9 };
  const q8 = { k: 'q8_0', v: 'q8_0' } as const;
  expect(afterKvCacheType(1, gemma, q8)).toBeLessThan(afterKvCacheType(1, llama(8), q8));
  expect(afterKvCacheType(1, llama(8), { k: 'f16', v: 'f16' })).toBe(1);
});
