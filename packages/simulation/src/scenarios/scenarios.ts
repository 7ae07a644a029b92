import { EVERYDAY_SCENARIOS } from './everyday.js';
import { HEAVY_TRAFFIC_SCENARIOS } from './heavy-traffic.js';
import type { Scenario } from './scenario.js';
import { TROUBLE_SCENARIOS } from './trouble.js';

/** Every scenario. Defaults are tuned on traces with odd seeds. Results are reported for traces with even seeds. */
export const SCENARIOS: readonly Scenario[] = [
  ...EVERYDAY_SCENARIOS,
  ...TROUBLE_SCENARIOS,
  ...HEAVY_TRAFFIC_SCENARIOS,
];
