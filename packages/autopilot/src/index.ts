export {
  assembleSelectionInput,
  type AssembledInput,
} from './assemble/assemble-selection-input.js';
export type { LadderCandidate, LadderLoadOption } from './assemble/build-candidates.js';
export type { LadderRung, LadderStepKind } from './assemble/ladder.js';
export { IDENTIFIER_PREFIX, isForeign } from './assemble/ownership.js';
export type { SelectionRequest } from './assemble/selection-request.js';
export type { AutopilotPorts } from './ports/autopilot-ports.js';
export type { CallOptions } from './ports/call-options.js';
export type { CandidateProfile, CatalogPort, CatalogReading } from './ports/catalog-port.js';
export { systemClock, type Clock } from './ports/clock.js';
export type { Estimate, EstimateQuestion, EstimatorPort } from './ports/estimator-port.js';
export type { MonitorPort, Survey, SurveyPort } from './ports/monitor-port.js';
export type {
  LoadMismatch,
  RuntimeInstance,
  RuntimeLoadRequest,
  RuntimeLoadResult,
  RuntimePort,
} from './ports/runtime-port.js';
export type { LoadFailure, LoadFailureCode } from './switch/load-failure.js';
export type { EmitRunEvent, RunEvent } from './switch/run-event.js';
export { runOnce, type RunOptions } from './switch/run-once.js';
export type { RunOutcome, RunReport } from './switch/run-report.js';
