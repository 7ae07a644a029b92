import type { Footprint, KvCacheType, LoadConfig, Resources } from '@mai/memory-ledger';
import type { PoolOutcome, Rejection, TradeOff } from './control-facts.js';

/** A load with trade-offs that fits. */
export interface CheaperLoad {
  readonly loadConfig: LoadConfig;
  readonly footprint: Footprint;
  readonly tradeOffs: readonly TradeOff[];
}

/** A question about the memory of a model. */
export interface EstimateRequest {
  /** A model key. The caller must know that it is one: a host also reads files. */
  readonly model: string;
  readonly settings?: {
    readonly contextLengthTokens?: number | null;
    readonly kvCacheTypeK?: KvCacheType | null;
    readonly kvCacheTypeV?: KvCacheType | null;
    readonly parallelSequences?: number | null;
  };
}

/** The memory of a model with the settings of a question. */
export interface EstimateAnswer {
  readonly title: string;
  readonly basis: { readonly kind: string };
  readonly report: EstimateFigures & {
    readonly ram: EstimateParts & { readonly repackBytes: number };
    readonly gpus: readonly EstimateParts[];
    readonly interval: Footprint['interval'];
  };
  readonly maxContextLengthTokens: number | null;
  readonly byContextLength: readonly EstimateFigures[];
  readonly fit: {
    readonly footprint: Footprint | null;
    readonly rejection: Rejection | null;
    readonly pools: readonly PoolOutcome[];
    readonly loadConfig: LoadConfig;
    readonly resources: Resources;
    readonly cheaper: CheaperLoad | null;
  } | null;
  readonly corrected: Footprint | null;
  readonly lmStudio: { readonly totalBytes: number } | null;
}

/** The total of an estimate, and its settings. */
export interface EstimateFigures {
  readonly loadConfig: {
    readonly contextLengthTokens: number;
    readonly kvCacheTypeK: KvCacheType;
    readonly kvCacheTypeV: KvCacheType;
    readonly flashAttention: boolean;
    readonly parallelSequences: number;
  };
  readonly totalBytes: number;
}

/** The memory of a load on one device, by part. */
export interface EstimateParts {
  readonly weightsBytes: number;
  readonly kvCacheBytes: number;
  readonly recurrentStateBytes: number;
  readonly computeBytes: number;
  readonly outputBytes: number;
  readonly visionProjectorBytes?: number;
  readonly visionEncoderBytes?: number;
  readonly draftBytes?: number;
  readonly engineBytes?: number;
  readonly totalBytes: number;
}
