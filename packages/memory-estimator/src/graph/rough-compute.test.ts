import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { architectureModel } from '../../test/architectures.js';
import { headerOf } from '../../test/language-model.js';
import { estimateFootprint } from '../estimate/estimate-footprint.js';

/** MiB of the compute buffer of a load with one sequence of 8192 tokens and a micro-batch of 512. */
async function computeMiB(name: string, flashAttention: boolean): Promise<number> {
  const { parts } = estimateFootprint(await headerOf(architectureModel(name)), {
    ...DEFAULT_LOAD_CONFIG,
    contextLengthTokens: 8192,
    parallelSequences: 1,
    flashAttention,
  });
  return parts.ram.computeBytes / 2 ** 20;
}

// The figures are those of the log of llama.cpp b10257 (llama.node 1.7.15) for the same files. Encoders attend to their input, and
// RWKV to nothing, so a long context takes no more (lmstudio-bug-tracker #1038: "approximately NaN undefined of memory" for RWKV).
test.each([
  ['bert', true, 1.16],
  ['bert', false, 5.57],
  ['modern-bert dense', true, 1.44],
  ['modern-bert dense', false, 5.88],
  ['rwkv7 dense', true, 2.27],
  ['rwkv7 dense', false, 2.27],
])('the compute buffer of %s, with flash attention: %p, is about %f MiB', async (name, on, mib) => {
  const ratio = (await computeMiB(name, on)) / mib;
  expect(ratio).toBeGreaterThan(0.9);
  expect(ratio).toBeLessThan(1.7);
});

test('Grok is estimated without flash attention, which llama.cpp turns off for it', async () => {
  expect(await computeMiB('grok moe', true)).toBeCloseTo(80.76, 1);
  expect(await computeMiB('grok moe', false)).toBeCloseTo(80.76, 1);
});
