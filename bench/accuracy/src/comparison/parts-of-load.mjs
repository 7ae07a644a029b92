// The errors of one load by part, relative to the truth, for Mai and both predictions of node-llama-cpp.
// `null`: the estimator does not report this part separately.
import { error, LOG_ROUNDING_BYTES } from './error.mjs';

export const ESTIMATORS = ['mai', 'heuristic', 'dryRun'];
/** The part that every estimator predicts. */
export const SUM = 'weights and context';

/**
 * @param truth weightsBytes, repackBytes (`null` for a dry run, which does not repack), cacheBytes (KV and
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

/** The relative error of each estimate; 0 if the difference is within the log's rounding. */
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
