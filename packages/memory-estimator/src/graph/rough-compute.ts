import { OVERLAPPING } from '../architecture/compression.js';
import type { Hyperparameters } from '../architecture/hyperparameters.js';
import type { ComputeBuffers } from './compute-buffers.js';
import type { EngineSettings } from '../settings/estimate-settings.js';
import type { RuntimeShape } from '../parts/runtime-shape.js';

const BYTES_PER_VALUE = 4;
/** Usual width of a feed-forward network, relative to the hidden state. */
const USUAL_FEED_FORWARD = 4;
/** Hidden states that a recurrent layer needs at once (RWKV7 in the log of llama.cpp b10257). */
const RECURRENT_STATES = 18;

/**
 * Approximates the compute buffers of an unknown graph: the memory that the logits, the attention or the
 * feed-forward network need at once, whichever is largest. For known graphs, the median error is 2 % and the
 * largest error is 30 %.
 */
export function roughCompute(
  model: Hyperparameters,
  settings: EngineSettings,
  shape: RuntimeShape,
  gpuCount: number,
): ComputeBuffers {
  const tokens = shape.graphTokens;
  const hidden = BYTES_PER_VALUE * model.embedding * tokens;
  const heads = Math.max(...model.heads, 1);
  const logits = BYTES_PER_VALUE * model.vocabulary * tokens + 3 * hidden;
  const rows = attendedRows(model, shape) * (tokens / shape.streams);
  const mask = (settings.flashAttention ? 2 : 4) * rows;
  const scores = settings.flashAttention ? 0 : BYTES_PER_VALUE * rows * heads;
  const queries = BYTES_PER_VALUE * tokens * heads * model.keyLength;
  const attention =
    scores + mask * shape.streams + 2 * queries + 2 * hidden + indexerScores(model, shape);
  const feedForward = 2 * USUAL_FEED_FORWARD * hidden + 3 * hidden + mask;
  const recurrent = model.recurrent.some(Boolean) ? RECURRENT_STATES * hidden : 0;
  const bytes = Math.max(logits, attention, feedForward, recurrent);
  // With the cache in RAM, it is not known which device computes the attention, so each counts in full.
  const isOnCpu = gpuCount === 0 || !settings.offloadsKvCache;
  const cpuBytes = isOnCpu ? bytes : 2 * hidden + mask;
  const gpuBytes = new Array<number>(gpuCount).fill(bytes);
  return { cpuBytes, gpuBytes, liveBytes: { cpu: cpuBytes, gpus: gpuBytes } };
}

/** The tokens that a token may attend to: those of the cache, or of the same input in a model without a cache. */
function attendedRows({ cached, attention }: Hyperparameters, shape: RuntimeShape): number {
  if (!cached) return shape.graphTokens;
  return attention.some(Boolean) ? shape.cells : 0;
}

/**
 * The scores that an indexer gives the tokens of the cache. Indexers of latent attention and of compressed caches add up
 * their heads at once. Those of MiniMax M3 keep the scores of every head (compared with the log of llama.cpp b10257 for 2, 4 and 8
 * heads).
 */
function indexerScores(
  { indexer, latent, compression }: Hyperparameters,
  shape: RuntimeShape,
): number {
  if (indexer === null) return 0;
  const perHead = latent === null && compression === null;
  const bytes = perHead ? 2 * BYTES_PER_VALUE * indexer.heads + 4 : 2 * BYTES_PER_VALUE;
  const cells = compression === null ? shape.cells : shape.cells / OVERLAPPING;
  return bytes * cells * shape.graphTokens;
}
