import { cacheShapeOf } from './cache-shape.js';
import { mlxShape } from './mlx-shape.js';
import { LLAMA_8B } from '../../test/mlx-models.js';

const LAYER = 4096 * (4096 + 1024 + 1024 + 4096) + 3 * 4096 * 14_336;
const TABLE = 128_256 * 4096;

describe('the shape of an MLX model', () => {
  test('of Llama 3.1 8B in 4 bits: 0.5625 bytes for each parameter, the embedding is a table', () => {
    const config = { ...LLAMA_8B.config, quantization: { bits: 4, group_size: 64 } };
    const tensors = [
      ...quantized('model.embed_tokens', TABLE),
      ...quantized('model.layers.0.mlp.all', 32 * LAYER),
      ...quantized('lm_head', TABLE),
    ];
    expect(mlxShape(tensors, config, 32, cacheShapeOf(config, 'llama'))).toEqual({
      parameters: 8_029_995_008,
      activeParameters: 8_029_995_008 - TABLE,
      layers: 32,
      weightBytes: 4_516_872_192,
      activeWeightBytes: 4_516_872_192 - TABLE * 0.5625,
      expertBytes: 0,
      activeExpertBytes: 0,
      kvBytesPerToken: 32 * 2 * 8 * 128 * 2,
      queryValuesPerToken: 32 * 32 * 128,
    });
  });

  // Kimi Linear has the second name.
  test.each(['num_experts_per_tok', 'num_experts_per_token'])(
    'a token uses a share of the experts (%s), and no encoder of images',
    (used) => {
      const config = { ...LLAMA_8B.config, num_experts: 16, [used]: 2 };
      const shape = mlxShape(
        [
          { name: 'model.embed_tokens.weight', type: 'BF16', elements: 1000, bytes: 2000 },
          {
            name: 'model.layers.0.mlp.switch_mlp.up.weight',
            type: 'BF16',
            elements: 8000,
            bytes: 16_000,
          },
          { name: 'vision_tower.x.weight', type: 'BF16', elements: 500, bytes: 1000 },
        ],
        config,
        32,
        cacheShapeOf(config, 'llama'),
      );
      expect(shape).toMatchObject({
        parameters: 9000,
        // Without an output matrix of its own, the embedding is read as output.
        activeParameters: 2000,
        activeWeightBytes: 4000,
        expertBytes: 16_000,
        activeExpertBytes: 2000,
      });
    },
  );

  test('is not known where the caches are not known', () => {
    expect(mlxShape(quantized('lm_head', 64), {}, 32, null)).toBeNull();
  });
});

/** A weight in 4 bits with groups of 64, each with a scale and an offset of 2 bytes. */
function quantized(name: string, parameters: number) {
  const groups = parameters / 64;
  return [
    { name: `${name}.weight`, type: 'U32', elements: parameters / 8, bytes: parameters / 2 },
    { name: `${name}.scales`, type: 'BF16', elements: groups, bytes: 2 * groups },
    { name: `${name}.biases`, type: 'BF16', elements: groups, bytes: 2 * groups },
  ];
}
