import type { GgufHeader } from '../src/gguf/gguf-header.js';
import { emptyFile, headerOf, type MetadataValue } from './language-model.js';

/** The figures of a model's `config.json`, by the end of their keys in a header. */
export type StatedFigures = Readonly<Record<string, MetadataValue>>;

/** A header that has an architecture and the figures of its caches, and no tensors. */
export function statedHeader(architecture: string, figures: StatedFigures): Promise<GgufHeader> {
  const file = emptyFile(architecture);
  for (const [key, value] of Object.entries(figures))
    file.metadata.set(`${architecture}.${key}`, value);
  return headerOf(file);
}

/** Which layers have a window: all but each sixth. */
const windows = (layers: number): boolean[] =>
  Array.from({ length: layers }, (_, il) => il % 6 !== 5);

/** @param heads Heads of keys and values, for all layers or by whether a layer has a window. */
export function gemma4(
  layers: number,
  heads: number | ((isWindowed: boolean) => number),
  others: StatedFigures,
): StatedFigures {
  return {
    block_count: layers,
    'attention.head_count_kv':
      typeof heads === 'number' ? heads : { type: 'i32s', value: windows(layers).map(heads) },
    'attention.key_length': 512,
    'attention.value_length': 512,
    'attention.key_length_swa': 256,
    'attention.value_length_swa': 256,
    'attention.sliding_window_pattern': { type: 'i32s', value: windows(layers).map(Number) },
    ...others,
  };
}

export const GEMMA4_12B = gemma4(48, (isWindowed) => (isWindowed ? 8 : 1), {
  embedding_length: 3840,
  'attention.head_count': 16,
  'attention.sliding_window': 1024,
});
