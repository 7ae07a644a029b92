export type { PolicyName } from './comparison-policies.js';
export { SCENARIO_MODELS } from './scenario-models.js';
export { SCENARIOS } from './scenarios.js';
export type { Scenario } from './define-scenario.js';
export {
  simulate,
  type ServingModel,
  type SimulatedDecision,
  type SimulationOptions,
  type SimulationReport,
} from './simulate.js';
export type { SimulatedModel, SimulatedRung } from './simulated-model.js';
export type { SimulationMetrics } from './simulation-metrics.js';
export { parseTrace, type ParsedTrace, type TraceIssue } from './parse-trace.js';
export type { TraceEvent, TraceRow } from './trace.js';
