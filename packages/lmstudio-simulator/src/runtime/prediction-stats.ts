/** Why a prediction has ended, in LM Studio's words. */
export type StopReason =
  | 'eosFound'
  | 'maxPredictedTokensReached'
  | 'contextLengthReached'
  | 'stopStringFound'
  | 'userStopped'
  | 'modelUnloaded';

/** The statistics of a prediction as LM Studio sends them. */
export interface PredictionStats {
  readonly stopReason: StopReason;
  readonly stopString?: string;
  readonly tokensPerSecond: number;
  readonly numGpuLayers: number;
  readonly timeToFirstTokenSec: number;
  readonly totalTimeSec: number;
  readonly promptTokensCount: number;
  readonly predictedTokensCount: number;
  readonly totalTokensCount: number;
  readonly usedDraftModelKey?: string;
  readonly totalDraftTokensCount?: number;
  readonly acceptedDraftTokensCount?: number;
  readonly rejectedDraftTokensCount?: number;
  readonly ignoredDraftTokensCount?: number;
}
