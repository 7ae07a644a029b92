export { connect } from './client/connect.js';
export type { ConnectOptions, LMStudioClient, ModelDetails } from './client/client-types.js';
export type { CallOptions } from './wire/deadline.js';
export type { ModelKind } from './wire/wire.js';

export { isLMStudioError, LMStudioError } from './errors.js';
export type { LMStudioErrorCode, LMStudioErrorFacts, LMStudioState } from './errors.js';

export type { DownloadedModel, InstanceActivity, ResidentInstance } from './models/model-types.js';
export type { ModelCapability } from './models/capabilities.js';
export type { ModelMatch } from './models/find-model.js';
export type { GenerateRequest, Generation, WarmUp, WarmUpOptions } from './models/generate.js';

export type { EstimateOptions, ResourceEstimate } from './load/estimate.js';
export type { LoadFirstResult, LoadMismatch, LoadRequest, LoadResult } from './load/load-types.js';

export type { HostFacts } from './machine/host-facts.js';
export type {
  HardwareSurvey,
  LinkedDevices,
  LMStudioVersion,
  SelectedEngine,
  SurveyedGpu,
} from './machine/inspect-machine.js';

export { parseBaseUrl } from './discovery/base-url.js';
export type { ServerAddress } from './discovery/base-url.js';
export { discover } from './discovery/discover.js';
export type { DiscoverOptions, Discovery } from './discovery/discover.js';
export { findLMStudioHome } from './discovery/lmstudio-home.js';
export type { HomeLookup, LMStudioHome } from './discovery/lmstudio-home.js';
export type { Probe, ProbeOutcome } from './discovery/probe.js';

export {
  findProjector,
  scanModelsFolder,
  withDistinctKeys,
} from './models-folder/scan-models-folder.js';
export type {
  ModelsFolderScan,
  ScannedModel,
  ScanOptions,
  UnusableFile,
} from './models-folder/scan-models-folder.js';
export type { FileJudgement } from './models-folder/group-files.js';
export type { UnreadablePath } from './models-folder/walk-models-folder.js';
