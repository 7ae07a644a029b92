export { openHost } from './open-host.js';
export type {
  ChangeOptions,
  DoctorOptions,
  EndYieldAnswer,
  Host,
  LoadOptions,
  UnloadRequest,
  UnpinAnswer,
  YieldAnswer,
} from './host.js';
export type { FleetFacts, FleetModel } from './fleet/fleet-facts.js';
export type { HostOptions } from './host-options.js';
export { addressSpaceText } from './machine/address-space-text.js';
export type { HostFolders } from './files/user-folders.js';
export { HostError, isHostError, type HostErrorCode, type HostErrorFacts } from './host-error.js';

export type { StatusReport, PoolTrend, RuntimeStatus } from './machine/read-status.js';
export type { WatchStatusOptions } from './machine/watch-status.js';
export { writeNamedFile } from './files/write-named-file.js';
export type { DownloadsOrigin, DownloadsReport } from './downloads/downloads-report.js';
export { describeOrigin } from './downloads/describe-origin.js';
export { getModels } from './text/get-models.js';
export { leftOutNotes, unreachableNotes, unusableNote } from './downloads/left-out-notes.js';
export type { CatalogProfile } from './catalog/catalog.js';
export type { ModelSource, StoreName, StorePlace } from './stores/stored-model.js';
export type { ModelList, ModelReport, ModelsQuery } from './model-list/list-models.js';
export type { CheaperLoad, ModelFit } from './model-list/model-fit.js';
export type { ComparedModel, Comparison, CompareRequest } from './compare/compare-models.js';
export { plotSvg } from './compare/plot-svg.js';
export { plotText, type PlotSize } from './compare/plot-text.js';
export type { EstimateRequest } from './estimates/estimate-model.js';
export type { FitHere } from './estimates/fit-here.js';
export type { ModelEstimate } from './estimates/model-estimate.js';
export type { EstimatedSpeed } from './estimates/estimated-speed.js';
export type { FileEstimate } from './estimates/file-estimates.js';
export type { MeasureReport, MeasureRequest } from './learning/measure-model.js';
export type { SelectionReport, SwitchOptions, SwitchReport } from './selection/select.js';
export { asServed } from './selection/as-served.js';
export { tradeOffsOf } from './selection/trade-offs-of.js';
export type { SelectionObstacle } from './selection/obstacle.js';
export type { Lease, LeaseRequirement } from './autopilot/host-autopilot.js';
export type { MeasuredAnswer } from './learning/speed-learner.js';
export type {
  Serving,
  ServingCatalog,
  ServingChange,
  ServingLease,
  ServingModel,
  ServingPlan,
  ServingRequest,
  ServingResident,
} from './serving/serving.js';
export { describeRuntime, RUNTIME_NAMES } from './text/runtime-names.js';
export type { RuntimeName } from './runtime/runtime-client.js';
export type { AskOptions, ChatModel, Conversation } from './chat/conversation.js';
export { chatModelOf, DIALOGUE_COMMANDS, runDialogue, type DialogueView } from './chat/dialogue.js';
export { readLines } from './chat/read-lines.js';
export { readTypedLines, type Terminal, type TypedLinesOptions } from './chat/typed-lines.js';
export type { AnswerPiece } from './chat/stream-answer.js';
export {
  simulatedDemoConfig,
  simulatedDemoPool,
  simulatedDemoPressure,
} from './demo/simulated-policy.js';
export { playDemo, type DemoParameters } from './demo/play-demo.js';
export type { DemoStep } from './demo/show-switch.js';
export type { DemoAnswer } from './demo/ask-model.js';
export type { DemoStage } from './demo/demo-stage.js';
export type { AutopilotPlace, KeepOptions } from './autopilot/keep-options.js';
export type { AutopilotRequest } from './autopilot/open-autopilot.js';
export type { RunningAutopilot } from './autopilot/running-autopilot.js';
export type { EstimatedLoad, LoadRequest } from './by-hand/plan-loads.js';
export type { UnpinRequest } from './by-hand/find-in-journal.js';
export type { YieldRequest } from './by-hand/yield-request.js';
export type {
  CallOptions,
  Delivery,
  HandLoaded,
  HandUnloaded,
  JournalAnswer,
  LeaseFacts,
  PinChange,
} from './control/autopilot-service.js';
export type { DecisionHistory, DecisionsQuery, Episode } from './decisions/read-history.js';
export type {
  FieldDifference,
  ReplayedFile,
  ReplayedLog,
  ReplaySummary,
} from './decisions/replay-log.js';
export type { BenchFigure, BenchOptions, BenchRequest, BenchResult } from './bench/bench-result.js';
export type { RuntimeError } from './runtime/runtime-error.js';
export type { Check } from './doctor/check.js';
export { configSchema, describeSource } from './config/load-config.js';
export type { ConfigPlaces } from './config/config-places.js';
export type { InitialConfig } from './catalog/initial-config.js';
export { leftOutOfSimulation } from './simulation/describe-left-out.js';
export type { SimulatedHardware, SimulatedModels } from './simulation/open-simulated-models.js';
export type {
  SimulatedChain,
  SimulatedFootprintOrigin,
  SimulatedLoad,
  SimulatedModel,
} from './simulation/simulated-models.js';
export type { NameKind } from './names.js';

export { createEventChanges } from './autopilot/events/event-changes.js';
export { ESTIMATE_CHOICES } from './estimates/setting-values.js';
export { fileOfEstimateLine, parseEstimateLine } from './estimates/parse-estimate-line.js';
export type { EstimateLine } from './estimates/parse-estimate-line.js';
export { addFootprintTotal } from './text/estimates/add-footprint-total.js';
export { DECISION_WORDS } from './text/decisions/decision-words.js';
export { limitRepeats } from './text/limit-repeats.js';
export { parseDecisionsQuery } from './by-hand/parse-decisions-query.js';
export { bytesInUse, poolLabel } from './text/pool-words.js';
export { episodeJson } from './text/decisions/episode-json.js';
export { decisionIdOf, parseDecisionId, systemClock } from '@mai/autopilot';
export {
  displayAddress,
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatMoment,
  formatPercent,
  formatShare,
  formatSpeed,
  onOneLine,
  plural,
} from './words.js';
export { describeNext, describeNow } from './text/decisions/describe-decision.js';
export { deliveryJson, describeDelivery } from './text/describe-delivery.js';
export { describeGrowth } from './text/estimates/describe-engine.js';
export { describeEvent, describeStep, type EventStyle } from './text/decisions/describe-event.js';
export { describeSwitch } from './text/decisions/describe-switch.js';
export {
  describeFootprint,
  FOOTPRINT_SOURCES,
  footprintSource,
} from './text/estimates/describe-footprint.js';
export {
  describeEstimatedLoad,
  describeMeasurement,
  measurementCells,
} from './text/estimates/describe-measurement.js';
export { describeMismatch } from './text/decisions/describe-mismatch.js';
export { describeObstacle } from './text/decisions/describe-obstacle.js';
export { describeTradeOffs } from './text/decisions/describe-trade-offs.js';
export {
  describeCorrected,
  describeEstimatedSpeed,
  describeFit,
  describeIncomplete,
  describeLmStudioEstimate,
  describeMlxGrowth,
  describeSettings,
  estimateWarnings,
  grownCacheBytes,
} from './text/estimates/describe-estimate.js';
export {
  describeNoChoice,
  describeSteps,
  explainChoice,
  explainNote,
} from './text/decisions/explain-selection.js';
export { benchCells, benchNotes, type BenchCells } from './bench/bench-words.js';
export { speedCells, type JudgedLoad, type SpeedCells } from './text/speed-words.js';
export { describeYield } from './text/describe-yield.js';
export { explainEpisode, type Explanation } from './text/decisions/explain-episode.js';
export { explainRejection } from './text/decisions/explain-rejection.js';
export {
  didYouMean,
  formatIssue,
  isModelConfigError,
  parseDurationMs,
  parseSizeBytes,
} from '@mai/model-config';

// Types that the answers above contain.
export type {
  AutopilotEvent,
  AutopilotState,
  CandidateProfile,
  Clock,
  DecisionRecord,
  JournalState,
  MonitorPort,
  OutcomeRecord,
  Pin,
  ReplayReport,
  RunEvent,
  RunReport,
  SelectionRequest,
  SwitchReason,
  TradeOff,
  Verdict,
  Yield,
} from '@mai/autopilot';
export type {
  LoadMismatch,
  ResidentInstance,
  UnconfirmedLoad,
  UnreadablePath,
  UnusableFile,
} from '@mai/lmstudio-adapter';
export type {
  ByteRange,
  EstimateReport,
  EstimateSettings,
  Growth,
  GrowthPart,
  ModelRefusal,
  PartIntervals,
  UsedProfile,
  ReportedDevice,
  ReportedRam,
} from '@mai/memory-estimator';
export type {
  LoadedModelConfig,
  ModelConfigFile,
  ModelConfigIssue,
  ModelConfigSource,
  ModelProfile,
} from '@mai/model-config';
export type { ResourceSnapshot } from '@mai/resource-monitor';
export type {
  Candidate,
  Chosen,
  PoolOutcome,
  RejectedCandidate,
  Rejection,
  Requirement,
  Resident,
  Selection,
  SelectionInput,
  SelectionNote,
} from '@mai/selector';
export { renderBar, renderLegend, renderMeter } from './terminal/bar.js';
export type { BarOptions, BarPart, BarStyle } from './terminal/bar.js';
export { createLiveView, SHOW_CURSOR } from './terminal/live-view.js';
export type { LiveScreen, LiveView } from './terminal/live-view.js';
export { safeText } from './terminal/safe-text.js';
export {
  ellipsisOf,
  padEnd,
  padStart,
  textWidth,
  truncate,
  truncateMiddle,
  wrap,
  wrapBehind,
} from './terminal/text.js';
export { parseYield, type TypedYield } from './by-hand/parse-yield.js';
