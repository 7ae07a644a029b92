export { connect } from './client/connect.js';
export type { ConnectOptions, LMStudioClient, ModelDetails } from './client/client-types.js';
export type { CallOptions } from './wire/deadline.js';
export type { ModelKind } from './wire/wire.js';

export { isLMStudioError, LMStudioError } from './errors.js';
export type { LMStudioErrorCode, LMStudioErrorFacts, LMStudioState } from './errors.js';

export type { GpuSplit } from './home/gpu-split.js';
export type { DraftMethod, InstanceSettings } from './models/instance-settings.js';
export type {
  DownloadedModel,
  InstanceActivity,
  LeftOutModel,
  ModelListing,
  ResidentInstance,
} from './models/model-types.js';
export { leftOutReason, type ModelMatch } from './models/find-model.js';
export type { GenerateRequest, Generation, WarmUp, WarmUpOptions } from './models/generate.js';

export type { EngineBuffer, EngineReport } from './engine-log/engine-reports.js';
export type { EngineBufferPart } from './engine-log/parse-engine-line.js';
export type { LoggedPrediction } from './engine-log/prediction-log.js';
export type { EngineWatch, WatchEnginesOptions } from './client/watch-engines.js';
export type { EstimateOptions, ResourceEstimate } from './load/estimate.js';
export type {
  LoadFirstResult,
  LoadMismatch,
  LoadRequest,
  LoadResult,
  UnconfirmedLoad,
} from './load/load-types.js';

export type { HostFacts } from './machine/host-facts.js';
export type { HardwareSurvey, SurveyedGpu, SurveyProblem } from './machine/hardware-survey.js';
export type { LinkedDevices, LMStudioVersion } from './machine/inspect-machine.js';
export type { EngineBackend, SelectedEngine } from './home/selected-engine.js';

export { parseBaseUrl } from './discovery/base-url.js';
export type { ServerAddress } from './discovery/base-url.js';
export { discover } from './discovery/discover.js';
export type { DiscoverOptions, Discovery } from './discovery/discover.js';
export { findLMStudioHome } from './home/lmstudio-home.js';
export type { HomeLookup, LMStudioHome } from './home/lmstudio-home.js';
export type { EngineHardware, LocalSettings } from './home/local-settings.js';
export type { Probe, ProbeOutcome } from './discovery/probe.js';

export {
  findProjector,
  listProjectors,
  scanModelsFolder,
  withDistinctKeys,
} from './models-folder/scan-models-folder.js';
export { looksLikeEmbedding } from './models-folder/model-key.js';
export type { ModelsFolderScan, UnusableFile } from './models-folder/scan-models-folder.js';
export type { FolderLayout, ScanOptions } from './models-folder/scan-options.js';
export type { ScannedModel } from './models-folder/scanned-model.js';
export type { FileJudgement } from './models-folder/group-files.js';
export type { UnreadablePath } from './models-folder/walk-models-folder.js';
