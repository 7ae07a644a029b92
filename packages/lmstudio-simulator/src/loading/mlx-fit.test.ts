import { startWithClient } from '../../test/connect-sdk.js';
import { exampleWorld } from '../index.js';

const GIB = 2 ** 30;

// 16 GiB for the GPU, 3 GiB in reserve, 1 GB of weights. A token takes 32 layers x 8 heads x 128 x
// (2 + 2) bytes, and 32 heads x 2 bytes x 512 for the scores. Rounded up to 256 tokens.
const FITTED = Math.ceil((16 * GIB - 3 * GIB - 1e9) / (131_072 + 131_072) / 256) * 256;

test.each([
  ['as many tokens as fit', 262_144, {}, FITTED],
  ["at most the model's maximum", 32_768, {}, 32_768],
  ['without autoFit, the requested length', 262_144, { contextLength: 8192 }, 8192],
] as const)('the context of an MLX model: %s', async (_, maxContextLength, config, expected) => {
  await using connected = await startWithClient({
    world: {
      ...exampleWorld('mac'),
      models: [{ modelKey: 'mlx', format: 'safetensors', sizeBytes: 1e9, maxContextLength }],
      guardrails: { mode: 'off' },
    },
  });
  const model = await connected.client.llm.load('mlx', { verbose: false, config });
  expect((await model.getModelInfo()).contextLength).toBe(expected);
});

test('the fitted context of an MLX model is larger than the default', () => {
  expect(FITTED).toBe(49_664);
});
