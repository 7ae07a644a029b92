import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { parseTrace } from '../trace/parse-trace.js';
import { SCENARIO_MODELS } from './models.js';
import { SCENARIOS } from './scenarios.js';
import { simulate } from '../simulate.js';

describe('SCENARIOS', () => {
  it('has at least two dozen scenarios, each with its own name', () => {
    expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
    expect(SCENARIOS.length).toBeGreaterThanOrEqual(24);
  });

  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s gives the same valid trace for the same seed, and another trace for another seed',
    async (name, { trace }) => {
      const rows = trace(1);
      expect(trace(1)).toEqual(rows);
      const text = rows.map((row) => JSON.stringify(row)).join('\n');
      expect(await parseTrace(text)).toEqual({ rows, issues: null, warnings: [] });
      if (name !== 'quiet') expect(trace(2)).not.toEqual(rows);
    },
  );

  it.each(['game', 'two-gpus', 'fast-ramp'])(
    'the autopilot neither flaps nor evicts a busy model in %s',
    async (name) => {
      const scenario = SCENARIOS.find((one) => one.name === name);
      const report = await simulate({
        trace: scenario?.trace(1) ?? [],
        models: SCENARIO_MODELS,
        limits: DEFAULT_SELECTION_POLICY,
      });
      expect(report).toMatchObject({
        flaps: 0,
        busyEvictions: 0,
        avoidableOutOfMemoryEvents: 0,
      });
      expect(report.qualityRatio).toBeGreaterThan(0.95);
    },
  );

  it.each(['heavy-traffic', 'heavy-traffic-gpu'])(
    'a busy model is unloaded within 3 s once memory has run out, and only then, in %s',
    async (name) => {
      const scenario = SCENARIOS.find((one) => one.name === name);
      const report = await simulate({
        trace: scenario?.trace(1) ?? [],
        models: SCENARIO_MODELS,
        limits: DEFAULT_SELECTION_POLICY,
      });
      expect(report.busyEvictions).toBeGreaterThan(0);
      expect(report.busyEvictionsWithMemoryLeft).toBe(0);
      expect(report.longestAvoidableOutOfMemoryMs).toBeLessThanOrEqual(3000);
    },
  );
});
