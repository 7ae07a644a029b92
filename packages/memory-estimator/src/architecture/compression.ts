import type { MetadataReader } from './metadata-reader.js';

/** Tokens that share one row of a compressed cache whose groups overlap, the first of the two kinds that DeepSeek V4 has. */
export const OVERLAPPING = 4;
/** Tokens that share one row of the second kind. */
const PLAIN = 128;

/** The compressed caches of a DeepSeek V4, beside the windowed cache that every layer has. */
export interface Compression {
  /** By layer: tokens that share one row. Other values than 4 and 128 stand for a layer without compressed tokens. */
  readonly ratios: readonly number[];
}

/** The compression of a model; `null` where the metadata does not state it. */
export function readCompression(read: MetadataReader): Compression | null {
  const ratios = read.array('attention.compress_ratios');
  return ratios === null ? null : { ratios };
}

/** Tokens that share one row in a layer; `null` for a layer that keeps no compressed tokens. */
export function ratioOf(compression: Compression | null, il: number): number | null {
  const ratio = compression?.ratios[il];
  return ratio === OVERLAPPING || ratio === PLAIN ? ratio : null;
}

/** Whether the layer also has an indexer, and compresses groups of tokens that overlap. */
export function overlaps(ratio: number | null): boolean {
  return ratio === OVERLAPPING;
}

/**
 * Values that the compressor of a layer keeps for one sequence between tokens. Source: llama_dsv4_comp_state in
 * llama-kv-cache-dsv4.cpp.
 *
 * @param keyLength Values of a key of the layer, and of its indexer.
 */
export function compressorValues(
  ratio: number | null,
  keyLength: { readonly layer: number; readonly indexer: number },
): number {
  // Each row has values and their scores.
  if (ratio === PLAIN) return 2 * keyLength.layer * PLAIN;
  return overlaps(ratio) ? 2 * 2 * (keyLength.layer + keyLength.indexer) * 2 * OVERLAPPING : 0;
}
