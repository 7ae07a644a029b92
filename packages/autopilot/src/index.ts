export { assembleSelectionInput } from './assemble/assemble-selection-input.js';
export type { AssembledCandidate, AssembledLoadOption } from './assemble/build-candidates.js';
export type { AssembledInput } from './assemble/join-footprints.js';
export { buildLoadSteps, type LoadStep } from './assemble/load-steps.js';
export { IDENTIFIER_PREFIX, isForeign } from './instances/ownership.js';
export type { SelectionRequest } from './request/selection-request.js';
export type { TradeOff } from './assemble/trade-off.js';
export {
  AutopilotError,
  isAutopilotError,
  type AutopilotErrorCode,
  type AutopilotErrorFacts,
} from './autopilot-error.js';
export type {
  DecisionRecord,
  DecisionSink,
  LogRecord,
  OutcomeRecord,
  RecordVersion,
} from './decision-log/decision-record.js';
export { decisionIdOf, parseDecisionId } from './decision-log/decision-id.js';
export { createDecisionLog, type DecisionLogOptions } from './decision-log/file-decision-log.js';
export { parseRecord } from './decision-log/parse-record.js';
export { replayDecisions, type ReplayReport } from './decision-log/replay-decisions.js';
export { listRotated } from './decision-log/rotating-file.js';
export type { AutopilotEvent, SwitchReason } from './events/autopilot-event.js';
export { createEventHub, type EventHub } from './events/event-hub.js';
export type { BackOffPolicy } from './failures/back-off.js';
export type { BreakerPolicy } from './failures/breaker.js';
export type { FailureEntry, FailureLedger } from './failures/failure-ledger.js';
export { createFileJournal } from './journal/file-journal.js';
export { createMemoryJournal, type JournalPort } from './journal/journal-port.js';
export { EMPTY_JOURNAL, type JournalState, type Pin, type Yield } from './journal/journal-state.js';
export { acquireRunningLock, findRunning, type RunningLock } from './journal/running-lock.js';
export { requirementOf, type LeaseRequest, type LeaseTarget } from './request/lease-request.js';
export type { AcquireResult, Lease } from './leases/lease.js';
export {
  DEFAULT_TIMINGS,
  type AutopilotOptions,
  type AutopilotTimings,
} from './autopilot-options.js';
export type { AutopilotState } from './loop/autopilot-state.js';
export { createAutopilot, type Autopilot } from './loop/create-autopilot.js';
export type { LeasePlan } from './loop/plan-request.js';
export type { AutopilotPorts } from './ports/autopilot-ports.js';
export type { CallOptions } from './ports/call-options.js';
export type {
  CandidateProfile,
  CatalogPort,
  CatalogQuestion,
  CatalogReading,
} from './ports/catalog-port.js';
export { systemClock, type Clock } from './ports/clock.js';
export type { EnginePort } from './ports/engine-port.js';
export { NO_ESTIMATE } from './ports/estimator-port.js';
export type { Estimate, EstimateQuestion, EstimatorPort } from './ports/estimator-port.js';
export type { MonitorPort, Survey, SurveyPort } from './ports/monitor-port.js';
export type {
  LoadMismatch,
  EndedResident,
  RuntimeInstance,
  RuntimeLoadRequest,
  RuntimeLoadResult,
  RuntimePort,
} from './ports/runtime-port.js';
export type { LoadFailure, LoadFailureCode } from './failures/load-failure.js';
export type { EmitRunEvent, RunEvent } from './switch/report/run-event.js';
export { runOnce, type RunOptions } from './switch/run-once.js';
export type { RunOutcome, RunReport } from './switch/report/run-report.js';
export type {
  HysteresisObservation,
  HysteresisState,
  Verdict,
  VerdictReason,
} from './timing/hysteresis-state.js';
export { holdingYields } from './journal/holding-yields.js';
export { reserveMemory, type Reservation, type YieldBaselines } from './pools/reserve-memory.js';
export { initialHysteresis, reduceHysteresis } from './timing/reduce-hysteresis.js';
