import type { Architecture } from './architectures.js';
import type { MetadataReader } from './metadata-reader.js';

/** The indexer of sparse attention, which chooses the tokens that a layer attends to. It has a cache of its own. */
export interface Indexer {
  readonly heads: number;
  /** Values of the one key that is kept for a token. */
  readonly keyLength: number;
  /** By layer: whether the indexer keeps keys. */
  readonly layers: readonly boolean[];
}

/** GLM-5.2 has a longer context than GLM-5 and 5.1, and an indexer in only some of its layers. */
const CONTEXT_OF_GLM_5_2 = 2 ** 20;

/**
 * The indexer of a model; `null` without one. Source: create_memory in llama-model.cpp, and load_arch_hparams of
 * glm-dsa.cpp, deepseek32.cpp, hy-v4.cpp, dots3note.cpp and minimax-m3.cpp of llama.cpp v0.5.0.
 *
 * @param layers Number of layers that run.
 */
export function readIndexer(
  { indexer, name }: Architecture,
  read: MetadataReader,
  layers: number,
): Indexer | null {
  const keyLength = read.count('attention.indexer.key_length') ?? 0;
  if (indexer === null || keyLength === 0) return null;
  // Hy V4 has no indexer where it attends to all tokens.
  if (name === 'hy_v4' && (read.count('attention.indexer.top_k') ?? 0) === 0) return null;
  return {
    heads: read.count('attention.indexer.head_count') ?? 0,
    keyLength,
    layers: layersWithKeys(indexer, read, layers),
  };
}

function layersWithKeys(
  indexer: NonNullable<Architecture['indexer']>,
  read: MetadataReader,
  layers: number,
): readonly boolean[] {
  const each = (keepsKeys: (il: number) => boolean): readonly boolean[] =>
    Array.from({ length: layers }, (_, il) => keepsKeys(il));
  if (indexer === 'all') return each(() => true);
  if (indexer === 'sparse-layers') {
    const firstSparse = read.count('leading_dense_block_count') ?? 0;
    return each((il) => il >= firstSparse);
  }
  const listed = read.perLayer('attention.indexer.types', layers);
  if (listed !== null) return each((il) => listed[il] !== 0);
  if (indexer === 'listed') return each(() => false);
  const isSpread = (read.count('context_length') ?? 0) >= CONTEXT_OF_GLM_5_2;
  return each((il) => !isSpread || il < 2 || (il - 2) % 4 === 0);
}
