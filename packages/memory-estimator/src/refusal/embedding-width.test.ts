import {
  emptyFile,
  headerOf,
  languageModel,
  type MetadataValue,
} from '../../test/language-model.js';
import { embeddingWidth } from './embedding-width.js';

async function projectorWidth(
  metadata: Readonly<Record<string, MetadataValue>>,
  tensors: Readonly<Record<string, readonly number[]>>,
) {
  const file = emptyFile('clip');
  for (const [key, value] of Object.entries(metadata)) file.metadata.set(`clip.${key}`, value);
  for (const [name, shape] of Object.entries(tensors)) file.tensors.set(name, { shape });
  return embeddingWidth(await headerOf(file));
}

// LostRuins/koboldcpp #1662, lmstudio-ai/lmstudio-bug-tracker #1665: "mismatch between text model and mmproj".
test.each([
  ['mlp', { projector_type: 'mlp' }, { 'mm.0.weight': [64, 96], 'mm.2.weight': [96, 128] }, 128],
  ['no type, as in old files', {}, { 'mm.2.weight': [96, 128] }, 128],
  [
    'gemma3 of a vision encoder',
    { 'vision.projector_type': 'gemma3' },
    { 'mm.input_projection.weight': [128, 64] },
    128,
  ],
  ['qwen2vl', { projector_type: 'qwen2vl_merger' }, { 'mm.2.weight': [96, 128] }, 128],
  [
    'qwen3vl with vectors for three layers of the model (lmstudio-bug-tracker #1665: 8192 for 2048)',
    { projector_type: 'qwen3vl_merger' },
    {
      'mm.2.weight': [1152, 2048],
      'v.deepstack.8.fc1.weight': [8, 8],
      'v.deepstack.16.fc1.weight': [8, 8],
      'v.deepstack.24.fc1.weight': [8, 8],
    },
    8192,
  ],
  ['gemma4', { projector_type: 'gemma4v' }, { 'mm.input_projection.weight': [64, 128] }, 128],
  ['mlp without its last tensor', { projector_type: 'mlp' }, { 'mm.0.weight': [64, 96] }, null],
  ['a type that is not known', { projector_type: 'new' }, { 'mm.2.weight': [96, 128] }, null],
] as const)('the width of a projector of %s', async (_, metadata, tensors, width) => {
  expect(await projectorWidth(metadata, tensors)).toBe(width);
});

test('the width of a model is that of its embeddings, and not known where it takes more', async () => {
  const file = languageModel({ width: 128 });
  expect(embeddingWidth(await headerOf(file))).toBe(128);
  file.metadata.set('llama.n_deepstack_layers', 3);
  expect(embeddingWidth(await headerOf(file))).toBeNull();
});

test.each([
  ['qwen3vlmoe', 8192],
  ['qwen3moe', 2048],
])('a model of %s takes vectors of %i numbers', async (architecture, width) => {
  const file = emptyFile(architecture);
  file.metadata.set(`${architecture}.embedding_length`, 2048);
  if (architecture === 'qwen3vlmoe') file.metadata.set('qwen3vlmoe.n_deepstack_layers', 3);
  expect(embeddingWidth(await headerOf(file))).toBe(width);
});
