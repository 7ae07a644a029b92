import { headerOf, languageModel, type FileContents } from '../../test/language-model.js';
import { indexModel } from '../architecture/model-index.js';
import type { ComputeBuffers } from './compute-buffers.js';
import { sharedBuffers } from './shared-buffers.js';

/** A tensor type of four bytes, as F32 is. */
const I32 = 26;

/** The index of a model, in which `change` may alter anything before it is written. */
async function modelWith(change: (model: FileContents) => void = () => undefined) {
  const contents = languageModel();
  change(contents);
  return indexModel(await headerOf(contents));
}

const buffersOf = (cpuBytes: number): ComputeBuffers => ({
  cpuBytes,
  gpuBytes: [],
  liveBytes: { cpu: cpuBytes, gpus: [] },
});

test('models with equal graphs share their buffers, whatever their names and tokens are', async () => {
  const one = await modelWith();
  const other = await modelWith(({ metadata }) => {
    metadata.set('general.name', 'Fine-tune');
    metadata.set('tokenizer.ggml.tokens', [...'abcdefgh']);
  });
  const compute = jest.fn(() => buffersOf(1));
  const buffers = sharedBuffers(one, 'same', compute);
  expect(sharedBuffers(other, 'same', compute)).toBe(buffers);
  expect(compute).toHaveBeenCalledTimes(1);
});

test.each<[string, (model: FileContents) => void]>([
  [
    'a tensor of another shape',
    ({ tensors }) => tensors.set('output_norm.weight', { shape: [32] }),
  ],
  [
    'a tensor of another type in its last layer',
    ({ tensors }) => tensors.set('blk.1.ffn_down.weight', { shape: [96, 64], type: I32 }),
  ],
  ['one tensor more', ({ tensors }) => tensors.set('blk.0.attn_q.bias', { shape: [64] })],
  ['one tensor less', ({ tensors }) => tensors.delete('blk.1.ffn_gate.weight')],
  ['another figure', ({ metadata }) => metadata.set('llama.attention.head_count_kv', 4)],
  ['one figure more', ({ metadata }) => metadata.set('llama.logit_scale', 2)],
  [
    'a figure of another type',
    ({ metadata }) => metadata.set('llama.context_length', { type: 'u64', value: 512 }),
  ],
])('a model with %s has its own buffers', async (_, change) => {
  const [one, other] = [await modelWith(), await modelWith(change)];
  expect(sharedBuffers(one, 'differs', () => buffersOf(1)).cpuBytes).toBe(1);
  expect(sharedBuffers(other, 'differs', () => buffersOf(2)).cpuBytes).toBe(2);
  expect(sharedBuffers(one, 'differs', () => buffersOf(3)).cpuBytes).toBe(1);
});

test('each load has its own buffers, however many there are', async () => {
  const index = await modelWith();
  for (let load = 0; load < 300; load += 1)
    expect(sharedBuffers(index, `load ${load}`, () => buffersOf(load)).cpuBytes).toBe(load);
});
