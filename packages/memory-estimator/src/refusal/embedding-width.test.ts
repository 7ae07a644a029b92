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
