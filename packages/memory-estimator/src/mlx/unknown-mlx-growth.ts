import { sumGrowth, type Growth } from '../memory/growth.js';
import { MLX_SEQUENCES, RESERVE_BYTES } from './fit-mlx-context.js';

const SOURCE = 'mlx-engine, batched_vision/context_fit.py (August 2026)';

/**
 * The growth of an MLX model whose cache shape is not known: mlx-engine allocates the KV cache of each sequence as its tokens
 * come, so the bound counts the largest usual caches.
 *
 * @param load.sequences `null`: the engine's default.
 * @param load.mostKvCacheBytes The most that the KV cache of one sequence may take.
 * @param load.countedBytes The part of a KV cache that the footprint already includes.
 * @param load.deviceKey The GPU that has the model; `null`: RAM.
 */
export function unknownMlxGrowth(load: {
  readonly sequences: number | null;
  readonly mostKvCacheBytes: number;
  readonly countedBytes: number;
  readonly deviceKey: string | null;
}): Growth {
  const sequences = load.sequences ?? MLX_SEQUENCES;
  const kvCacheBytes = sequences * load.mostKvCacheBytes - load.countedBytes;
  return sumGrowth(
    [
      { kind: 'kv-cache', mostBytes: kvCacheBytes, isKnown: false, source: SOURCE },
      { kind: 'engine-reserve', mostBytes: RESERVE_BYTES, isKnown: false, source: SOURCE },
    ],
    load.deviceKey,
  );
}
