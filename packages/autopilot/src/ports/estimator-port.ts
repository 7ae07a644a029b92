import type { Footprint, LoadConfig, Resources } from '@mai/memory-ledger';
import type { CallOptions } from './call-options.js';

/** The question: what does this model take with this load configuration on this machine? */
export interface EstimateQuestion {
  readonly modelKey: string;
  readonly loadConfig: LoadConfig;
  readonly resources: Resources;
  readonly deviceIdentifier: string | null;
}

/** The answer; null where nothing is known. */
export interface Estimate {
  readonly footprint: Footprint | null;
  /** The runtime's own verdict for this load configuration; null when it was not asked. */
  readonly guardrails: 'pass' | 'refuse' | null;
  /** The engine would not load it so, whatever memory there is; other load configurations are tried. */
  readonly refused?: boolean;
}

/** What a model takes when it is resident. Asked many times per decision: keep it cheap, or cached. */
export interface EstimatorPort {
  estimate(question: EstimateQuestion, options: CallOptions): Promise<Estimate>;
}
