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

test.each([
  ['Q2_K', ['q2_k', 'Qwen3-8B-Q2_K.gguf', 'imat-Q2_K', 'Q2_K_XL', 'Qwen3-8B-UD-Q2_K_XL', ' Q2_K ']],
  ['Q4_K_M', ['q4_k_m', 'UD-Q4_K_XL', 'Q4_K', 'i1-Q4_K_M', 'Qwen3-8B.Q4_K_M.gguf']],
  ['Q3_K_L', ['Q3_K_XL', 'imat-Q3_K_L']],
  ['MXFP4', ['MXFP4_MOE', 'mxfp4', 'gpt-mxfp4.gguf']],
  ['4bit', ['4-bit', 'MLX 4-bit', 'mlx-4bit', '4 bits', 'Qwen3-8B-MLX-4bit']],
  ['F16', ['fp16', 'BF16', 'f32', 'Qwen3-8B-BF16.gguf']],
])('%s is found in other forms of its name', (type, names) => {
  const loss = quantizationLoss(llama(8), type);
  expect(loss).not.toBeNull();
  for (const name of names) expect([name, quantizationLoss(llama(8), name)]).toEqual([name, loss]);
});

test.each([
  ['AWQ', 4.15],
  ['GPTQ-Int4', 4.15],
  ['w4a16', 4.15],
  ['int8', 8.15],
  ['NF4', 4.5],
  ['NVFP4', 4.5],
  ['EXL2 3.5bpw', 3.5],
  ['TQ1_0', 1.69],
  ['mlx-3bit', 3.5],
  ['GLM-4.6-MLX-6.5bit', 6.5],
])('%s costs as much as any type of %d bits', (name, bits) => {
  expect(quantizationLoss(llama(8), name)).toBe(quantizationLoss(llama(8), bits));
});

test('the loss of an unknown type is not known', () => {
  for (const name of ['Q9_Z', '', 'unknown', 'Qwen3-8B', '42'])
    expect([name, quantizationLoss(llama(8), name)]).toEqual([name, null]);
});

test('a quantized cache costs Gemma 4 more than Llama 3, and a cache of 16 bits costs nothing', () => {
  const gemma = { family: 'Gemma4', parameters: 26e9, activeParameters: 4e9 };
  const q8 = { k: 'q8_0', v: 'q8_0' } as const;
  expect(kvCacheLoss(gemma, q8)).toBeGreaterThan(kvCacheLoss(llama(8), q8));
  expect(kvCacheLoss(llama(8), { k: 'f16', v: 'f16' })).toBe(0);
});
