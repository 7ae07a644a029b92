import { resolveEngineProfile } from '@mai/memory-estimator';
import type { LoadEngine } from './load-engine.js';

/** The embedded engine of this version of Mai with its own defaults. It has no settings of a user. */
export function embeddedEngine(): LoadEngine {
  return {
    profile: resolveEngineProfile({ engine: 'embedded' }),
    selected: [],
    disabledGpus: 0,
    hardware: null,
  };
}
