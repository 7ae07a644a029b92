import { bytesOf } from '../../test/language-model.js';
import { readGgufHeader } from '../gguf/read-gguf-header.js';
import {
  changedFiles,
  filesLikeLlama,
  filesWithLists,
  filesWithoutKeys,
  filesWithoutTensors,
  mixedFiles,
} from '../../test/refused-files.js';
import { refuseModel } from './refuse-model.js';

// A test of @mai/llama-runtime (verdicts.slow.test.ts) loads the same files with the engine.
const judged = async (file: Parameters<typeof bytesOf>[0]) =>
  refuseModel(await readGgufHeader(bytesOf(file)), 'embedded');

test.each(filesWithoutKeys())('$name: loads is $loads, and a missing key is named', async (one) => {
  const refusal = await judged(one.file);
  expect(refusal === null).toBe(one.loads);
  const key = one.name.split(' without ')[1];
  if (key !== undefined)
    expect(refusal).toEqual({ code: 'METADATA_MISSING', reason: `its metadata lacks ${key}` });
});

test.each(filesWithoutTensors())('$name is refused, and the tensor is named', async (one) => {
  const refusal = await judged(one.file);
  const tensor = one.name.split(' without ')[1] ?? '';
  expect(refusal).toEqual({ code: 'TENSORS_MISSING', reason: `it lacks the tensor ${tensor}` });
});

test.each(mixedFiles())('$name: loads is $loads', async ({ file, loads }) => {
  expect((await judged(file)) === null).toBe(loads);
});

test.each(changedFiles())('$name: loads is $loads', async ({ file, loads }) => {
  expect((await judged(file)) === null).toBe(loads);
});

test.each(filesWithLists())('$name: loads is $loads', async ({ file, loads }) => {
  expect((await judged(file)) === null).toBe(loads);
});

test.each(filesLikeLlama())('$name: loads is $loads', async ({ file, loads }) => {
  expect((await judged(file)) === null).toBe(loads);
});

test('a tensor whose name has another ending is named as llama.cpp reads it', async () => {
  const found = filesLikeLlama().filter(({ name }) => / ending of /.test(name));
  const reasons = await Promise.all(found.map(async ({ file }) => (await judged(file))?.reason));
  expect(reasons).toEqual([
    'it lacks the tensor blk.1.post_attention_norm',
    'it lacks the tensor blk.1.post_ffw_norm',
    'it lacks the tensor blk.0.attn_norm.weight',
    'it lacks the tensor blk.0.attn_q.weight',
    'it lacks the tensor blk.0.ffn_down.weight',
    'it lacks the tensor output_norm.weight',
  ]);
});

test('the length that llama.cpp reads is named', async () => {
  const three = filesWithLists().find(({ name }) => name.startsWith('qwen3vl with 3'));
  if (three === undefined) throw new Error('There is no file with three sections.');
  expect((await judged(three.file))?.reason).toBe(
    'its qwen3vl.rope.dimension_sections has 3 values, but llama.cpp reads 4',
  );
});

test('a header without data is not asked for tensors that only its architecture has', async () => {
  const file = filesWithoutTensors().find(({ name }) =>
    name.includes('qwen3 without blk.1.attn_q_norm'),
  );
  if (file === undefined) throw new Error('The fixture of qwen3 has no norm of its queries.');
  const header = await readGgufHeader(bytesOf(file.file));
  expect(refuseModel(header)?.reason).toMatch(/attn_q_norm/);
  expect(refuseModel({ ...header, hasData: false })).toBeNull();
});

test('a tensor that the architecture does not have is named, also in a header without data', async () => {
  const named = changedFiles().filter(({ name }) =>
    /no version has|(without its|beside the) scaling/.test(name),
  );
  for (const hasData of [true, false]) {
    const reasons = named.map(async ({ file }) => {
      const header = await readGgufHeader(bytesOf(file));
      return /"(.*)"/.exec(refuseModel({ ...header, hasData })?.reason ?? '')?.[1];
    });
    expect(await Promise.all(reasons)).toEqual([
      'rope_factors_long',
      'rope_freqs',
      'blk.0.attn_new',
    ]);
  }
});

test('a chat template that only the embedded engine parses at the load is no reason for another engine', async () => {
  const found = changedFiles().find(({ name }) => name.includes('{{ broken'));
  if (found === undefined) throw new Error('There is no file with a broken template.');
  const header = await readGgufHeader(bytesOf(found.file));
  expect(refuseModel(header, 'lmstudio')).toBeNull();
  expect(refuseModel(header, 'embedded')).toEqual({
    code: 'CHAT_TEMPLATE',
    reason:
      'the embedded engine cannot parse its chat template (tokenizer.chat_template: "{{ broken" is not closed)',
  });
});
