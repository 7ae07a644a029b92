// Counts how often the autopilot asks the runtime while nothing happens.
import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { SCENARIO_MODELS, SCENARIOS, simulate } from '@mai/simulation';

const HOUR_MS = 3_600_000;
const NO_REQUESTS = { ratePerMinute: 0, meanSeconds: 0 };

/** The second hour after the start. The first load has ended long before. */
export async function queriesOfIdleHour() {
  return (await queriesWithin(2 * HOUR_MS)) - (await queriesWithin(HOUR_MS));
}

async function queriesWithin(durationMs) {
  const [first] = SCENARIOS.find(({ name }) => name === 'quiet').trace(1);
  const idle = { ...first, requests: NO_REQUESTS };
  const { runtimeQueries } = await simulate({
    trace: [idle, { ...idle, tMs: durationMs }],
    models: SCENARIO_MODELS,
    limits: DEFAULT_SELECTION_POLICY,
  });
  return runtimeQueries;
}
