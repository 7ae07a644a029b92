// One load by part, in shares of the truth: Mai's estimate beside node-llama-cpp's two. What an estimator
// does not tell apart is null.
import { error, LOG_ROUNDING_BYTES } from './error.mjs';

export const ESTIMATORS = ['mai', 'heuristic', 'dryRun'];
/** What every one of them claims to predict. */
export const SUM = 'weights and context';

/**
 * @param truth weightsBytes, repackBytes (null: nothing is repacked in a dry run), cacheBytes (KV and
 * recurrent state), buffersBytes (compute and output).
 */
export function partsOfLoad({ ram, peer: { heuristic, dryRun }, truth }) {
  const repacked = truth.repackBytes !== null;
  const repackBytes = truth.repackBytes ?? 0;
  const context = truth.cacheBytes + truth.buffersBytes;
  const all = truth.weightsBytes + repackBytes + context;
  const cache = ram.kvCacheBytes + ram.recurrentStateBytes;
  const buffers = ram.computeBytes + ram.outputBytes;
  const maiRepack = repacked ? ram.repackBytes : 0;
  const heuristicContext = heuristic.cacheBytes + heuristic.buffersBytes;
  return {
    weights: shares(truth.weightsBytes, [
      ram.weightsBytes,
      heuristic.weightsBytes,
      dryRun.weightsBytes,
    ]),
    'repacked copy': shares(repackBytes, [maiRepack, 0, 0]),
    'KV cache and state': shares(truth.cacheBytes, [cache, heuristic.cacheBytes, null]),
    'compute and output': shares(truth.buffersBytes, [buffers, heuristic.buffersBytes, null]),
    context: shares(context, [cache + buffers, heuristicContext, dryRun.contextBytes]),
    'all, with the copy': shares(all, [
      ram.weightsBytes + maiRepack + cache + buffers,
      heuristic.weightsBytes + heuristicContext,
      dryRun.weightsBytes + dryRun.contextBytes,
    ]),
    [SUM]: shares(truth.weightsBytes + context, [
      ram.weightsBytes + cache + buffers,
      heuristic.weightsBytes + heuristicContext,
      dryRun.weightsBytes + dryRun.contextBytes,
    ]),
  };
}

/** Parts of the truth come from a log that is rounded; closer than that is no error. */
function shares(truth, estimates) {
  return Object.fromEntries(
    ESTIMATORS.map((name, i) => {
      const estimate = estimates[i];
      if (estimate === null) return [name, null];
      const isExact = Math.abs(estimate - truth) <= LOG_ROUNDING_BYTES;
      return [name, isExact ? 0 : error(estimate, truth).ratio];
    }),
  );
}
