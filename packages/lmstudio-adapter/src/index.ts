export { connect } from './client/connect.js';
export type {
  ConnectOptions,
  EstimateOptions,
  LMStudioClient,
  ModelDetails,
  WarmUpOptions,
} from './client/client-types.js';
export { isLMStudioError, LMStudioError } from './errors.js';
export type { LMStudioErrorCode, LMStudioErrorFacts } from './errors.js';
export { DEFAULT_LOAD_CONFIG } from './models/model-types.js';
export type {
  CallOptions,
  DownloadedModel,
  InstanceActivity,
  KvCacheType,
  LoadConfig,
  ModelKind,
  ResidentInstance,
} from './models/model-types.js';
export { parseBaseUrl } from './discovery/base-url.js';
export type { ServerAddress } from './discovery/base-url.js';
export { discover } from './discovery/discover.js';
export type { DiscoverOptions, Discovery } from './discovery/discover.js';
export { diagnose } from './discovery/diagnose.js';
export type { Diagnosis, LMStudioState } from './discovery/diagnose.js';
export { findLMStudioHome } from './discovery/lmstudio-home.js';
export type { HomeLookup, LMStudioHome } from './discovery/lmstudio-home.js';
export type { Probe, ProbeOutcome } from './discovery/probe.js';
export { hostFacts } from './machine/host-facts.js';
export type { HostFacts, HostProbe } from './machine/host-facts.js';
export { detectCapabilities } from './models/capabilities.js';
export type { ModelCapability } from './models/capabilities.js';
export { findModel } from './models/find-model.js';
export type { ModelMatch } from './models/find-model.js';
export type { GenerateRequest, Generation, WarmUp } from './models/generate.js';
export type {
  HardwareSurvey,
  LinkedDevices,
  LMStudioVersion,
  ResourceEstimate,
  SelectedEngine,
  SurveyedGpu,
} from './machine/inspect-machine.js';
export type { LoadFirstResult, LoadMismatch, LoadRequest, LoadResult } from './load/load-types.js';
export { findProjector } from './models-folder/find-projector.js';
export { scanModelsFolder } from './models-folder/scan-models-folder.js';
export type {
  ModelsFolderScan,
  ScannedModel,
  ScanOptions,
} from './models-folder/scan-models-folder.js';
