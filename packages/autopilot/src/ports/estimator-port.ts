import type {
  Footprint,
  FootprintGrowth,
  LoadConfig,
  LoadSpeed,
  Resources,
} from '@mai/memory-ledger';
import type { CallOptions } from './call-options.js';

/** Asks how much memory a model takes with a load configuration on a machine. */
export interface EstimateQuestion {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly resources: Resources;
  readonly deviceIdentifier: string | null;
}

/** The answer to an `EstimateQuestion`. */
export interface Estimate {
  /** Null when nothing is known about the model. */
  readonly footprint: Footprint | null;
  /**
   * Where `footprint` is null: the most that a model of this many bytes may grow by after such a load. The footprint from the
   * configuration takes it. Null: not known.
   */
  readonly growthBySize: ((totalBytes: number) => FootprintGrowth | null) | null;
  /** The runtime's own verdict on this load configuration; null when it was not asked. */
  readonly guardrails: 'pass' | 'refuse' | null;
  /** Whether the engine is known to be unable to load the model this way, however much memory there is. */
  readonly refused: boolean;
  /**
   * Whether the model has expert layers; null when unknown. A dense model gets no options that move
   * experts.
   */
  readonly hasExperts: boolean | null;
  /**
   * Predicts the speeds with all measurements so far; null where they are not known. The
   * autopilot keeps an estimate for up to an hour, and asks it for speeds whenever `EstimatorPort.revision` has changed.
   */
  readonly speedNow: () => LoadSpeed | null;
  /**
   * Quality of the answers with this load configuration, 0 to 1, for a model that is wanted for these capabilities.
   * Null where it is not known.
   */
  readonly qualityFor: (capabilities: readonly string[]) => number | null;
}

/** The estimate of a load of which nothing is known. */
export const NO_ESTIMATE: Estimate = {
  footprint: null,
  growthBySize: null,
  guardrails: null,
  refused: false,
  hasExperts: null,
  speedNow: () => null,
  qualityFor: () => null,
};

/** Estimates footprints. The autopilot keeps the answers until something changes. */
export interface EstimatorPort {
  estimate(question: EstimateQuestion, options: CallOptions): Promise<Estimate>;
  /** A number that changes when speeds were learned. Default: speeds never change. */
  readonly revision?: () => number;
}
