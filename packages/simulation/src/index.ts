export { SimulationClock } from './clock/simulation-clock.js';
export { createSimulatedHost } from './machine/simulated-host.js';
export type {
  SimulatedHost,
  SimulatedHostOptions,
  SimulatedHostResident,
} from './machine/simulated-host.js';
export { resourcesOfRow } from './machine/simulated-resources.js';
export type {
  SimulatedGrowth,
  SimulatedLoadOption,
  SimulatedModel,
} from './machine/simulated-model.js';
export { servedShares, type ServedPart } from './metrics/served-shares.js';
export type { SimulationMetrics } from './metrics/simulation-metrics.js';
export type { SimulatedDecision } from './policies/mai.js';
export type { PolicyName } from './policies/policy.js';
export { SCENARIO_MODELS } from './scenarios/models.js';
export type { Scenario } from './scenarios/scenario.js';
export { SCENARIOS } from './scenarios/scenarios.js';
export {
  simulate,
  type ServingModel,
  type SimulationOptions,
  type SimulationReport,
} from './simulate.js';
export { parseTrace, type ParsedTrace, type TraceIssue } from './trace/parse-trace.js';
export type { TraceEvent, TraceGpu, TraceRow } from './trace/trace.js';
