import { kvCacheLoss, quantizationLoss } from './quantization-loss.js';

const llama = (billions: number) => ({
  family: 'Llama',
  parameters: billions * 1e9,
  activeParameters: billions * 1e9,
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
  const lost = quantizationLoss(llama(8), type) ?? 1;
  expect(Math.abs(lost - loss)).toBeLessThan(Math.max(0.002, 0.12 * loss));
});

test('a larger model loses less: the 70B about a third of what the 8B loses', () => {
  const lossOf = (billions: number) => quantizationLoss(llama(billions), 'Q3_K_M') ?? 1;
  expect(lossOf(70) / lossOf(8)).toBeGreaterThan(0.2);
  expect(lossOf(70) / lossOf(8)).toBeLessThan(0.45);
});

test('gpt-oss in MXFP4 loses nothing, because it was trained in that type', () => {
  const gptOss = { family: 'gpt-oss', parameters: 21e9, activeParameters: 3.6e9 };
  expect(quantizationLoss(gptOss, 'MXFP4')).toBe(0);
  expect(quantizationLoss({ ...gptOss, family: 'Qwen3' }, 'MXFP4')).toBeGreaterThan(0);
});

test('the loss of an unknown type is not known', () => {
  expect(quantizationLoss(llama(8), 'Q9_Z')).toBeNull();
});

test('a quantized cache costs Gemma 4 more than Llama 3, and a cache of 16 bits costs nothing', () => {
  const gemma = { family: 'Gemma4', parameters: 26e9, activeParameters: 4e9 };
  const q8 = { k: 'q8_0', v: 'q8_0' } as const;
  expect(kvCacheLoss(gemma, q8)).toBeGreaterThan(kvCacheLoss(llama(8), q8));
  expect(kvCacheLoss(llama(8), { k: 'f16', v: 'f16' })).toBe(0);
});
