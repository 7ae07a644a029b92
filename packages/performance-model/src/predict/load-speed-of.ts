import { SPEED_DEPTH_TOKENS, type LoadSpeed, type SpeedRange } from '@mai/memory-ledger';
import type { SpeedModel } from './create-speed-model.js';
import type { SpeedInterval } from './interval.js';
import type { SpeedQuestion } from './traits-of.js';

/**
 * The speeds that are compared and shown: decode once the context holds `SPEED_DEPTH_TOKENS` tokens, and a prompt of that length.
 * `question.depthTokens` is not used.
 *
 * @param loadMs - from `predictLoadTime`; null where it is not known
 */
export function loadSpeedOf(
  model: SpeedModel,
  question: SpeedQuestion,
  loadMs: SpeedRange | null,
): LoadSpeed {
  return {
    decodeTokensPerSecond: rangeOf(model.decode({ ...question, depthTokens: SPEED_DEPTH_TOKENS })),
    promptTokensPerSecond: rangeOf(
      model.prompt({ ...question, depthTokens: 0 }, SPEED_DEPTH_TOKENS),
    ),
    loadMs:
      loadMs === null ? null : { expected: loadMs.expected, low: loadMs.low, high: loadMs.high },
    measured: model.hasMeasured(question),
  };
}

function rangeOf({ tokensPerSecond, low, high }: SpeedInterval): SpeedRange {
  return { expected: tokensPerSecond, low, high };
}
