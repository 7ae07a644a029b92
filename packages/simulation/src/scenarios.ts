import type { Scenario } from './define-scenario.js';
import { EVERYDAY_SCENARIOS } from './everyday-scenarios.js';
import { TROUBLE_SCENARIOS } from './trouble-scenarios.js';

/** The library: what is reported on, and what the defaults are tuned with. */
export const SCENARIOS: readonly Scenario[] = [...EVERYDAY_SCENARIOS, ...TROUBLE_SCENARIOS];
