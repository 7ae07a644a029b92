import { headerOf, languageModel } from '../../test/language-model.js';
import { recordedHeader } from '../../test/lmstudio-loads.js';
import { modelShape } from './model-shape.js';

describe('the shape of a model', () => {
  test('of gpt-oss 120B: as many parameters as llama-bench prints, 5.13 billion active', async () => {
    const shape = await shapeOf('gpt-oss-120b');
    // bench/data/speed: gpt-oss-120b-F16 of llama-bench has 116,829,156,672 parameters; OpenAI states 5.13 billion active.
    expect(shape).toMatchObject({ parameters: 116_829_156_672, layers: 36 });
    expect(shape.activeParameters / 1e9).toBeCloseTo(5.13, 2);
    // The embedding and the output matrix have 615,329,280 bytes each. A token reads one row of the embedding.
    const dense = 63_374_323_968 - 61_073_326_080 - 615_329_280;
    expect(shape).toMatchObject({
      weightBytes: 63_374_323_968,
      expertBytes: 61_073_326_080,
      // 4 of 128 experts.
      activeExpertBytes: 61_073_326_080 / 32,
      activeWeightBytes: dense + 61_073_326_080 / 32,
      // 18 of 36 layers have a window; 8 heads of 64 keys and 64 values of 2 bytes.
      kvBytesPerToken: 18 * 8 * (64 + 64) * 2,
      queryValuesPerToken: 18 * 64 * 64,
    });
  });

  test('of Gemma 3 27B: the tied embedding is read as output, one layer in six keeps the context', async () => {
    expect(await shapeOf('gemma-3-27b')).toEqual({
      // bench/data/speed: gemma-3-27b-it-UD-Q4_K_XL of llama-bench.
      parameters: 27_009_346_304,
      activeParameters: 27_009_346_304,
      layers: 62,
      weightBytes: 18_760_628_864,
      activeWeightBytes: 18_760_628_864,
      expertBytes: 0,
      activeExpertBytes: 0,
      kvBytesPerToken: 10 * 16 * (128 + 128) * 2,
      queryValuesPerToken: 10 * 32 * 128,
    });
  });

  test('of Qwen 3 8B: a token reads everything but the table of the embedding', async () => {
    const shape = await shapeOf('qwen3-8b-q8_0');
    const table = 4096 * 151_936;
    expect(shape).toMatchObject({
      parameters: 8_190_735_360,
      activeParameters: 8_190_735_360 - table,
      activeWeightBytes: 8_703_561_728 - (table * 34) / 32,
      kvBytesPerToken: 36 * 8 * (128 + 128) * 2,
      queryValuesPerToken: 36 * 32 * 128,
    });
  });

  test('of Qwen 3.8 27B: neither the layer for draft tokens nor recurrent layers count', async () => {
    expect(await shapeOf('qwen3.8-27b-mtp')).toMatchObject({
      // bench/data/speed: 26.9 billion.
      parameters: 26_895_998_464,
      layers: 64,
      kvBytesPerToken: 16 * 4 * (256 + 256) * 2,
      queryValuesPerToken: 16 * 24 * 256,
    });
  });

  test('is not known where the header lacks figures', async () => {
    const model = languageModel();
    model.metadata.delete('llama.block_count');
    expect(modelShape(await headerOf(model))).toBeNull();
  });
});

async function shapeOf(name: string) {
  const shape = modelShape(await recordedHeader(name));
  if (shape === null) throw new Error(`The shape of ${name} is not known.`);
  return shape;
}
