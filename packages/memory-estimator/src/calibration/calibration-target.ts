import type { LoadConfig } from '../settings/load-config.js';
import type { Engine } from './observation.js';

/** The load that a footprint is for. */
export interface CalibrationTarget {
  readonly modelKey: string;
  /** Compared field by field: a null here is not the value that LM Studio takes for it. */
  readonly loadConfig: LoadConfig;
  readonly engine: Engine;
}
