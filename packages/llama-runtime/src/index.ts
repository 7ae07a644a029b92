export type { NoiseModelShape } from './noise-model/noise-model-shape.js';
export {
  noiseModelBytes,
  noiseModelShape,
  writeNoiseModel,
} from './noise-model/write-noise-model.js';

export { addressSpaceLimitBytes } from './process/system/address-space.js';
export { createLlamaRuntime } from './create-runtime.js';
export { findEngine } from './machine/find-engine.js';
export type {
  EngineAddress,
  EngineVersion,
  EngineWatch,
  EstimateMemory,
  LlamaRuntime,
  LlamaRuntimeOptions,
  ModelDetails,
} from './runtime-types.js';
export { isLlamaRuntimeError, LlamaRuntimeError } from './errors.js';
export type { LlamaRuntimeErrorCode, LlamaRuntimeErrorFacts } from './errors.js';

export type { ListModels } from './models/list-models.js';
export type { ModelMatch } from './models/find-model.js';
export type {
  DownloadedModel,
  LeftOutModel,
  LocalModel,
  ModelListing,
} from './models/model-types.js';
export type { EndedEngine } from './residents/engines.js';
export type { InstanceSettings, ResidentInstance } from './residents/resident-types.js';
export type { GenerateRequest, Generation, WarmUp, WarmUpOptions } from './requests/generate.js';
export type {
  EstimateOptions,
  LoadFirstResult,
  LoadMismatch,
  LoadRequest,
  LoadResult,
  ResourceEstimate,
} from './load/load-types.js';
export type { CallOptions } from './within.js';
export type { EngineBuffer, EngineBufferPart, EngineReport } from './residents/buffer-lines.js';
export type {
  HardwareSurvey,
  HostFacts,
  InstalledEngine,
  SelectedEngine,
  SurveyedGpu,
  SurveyProblem,
} from './machine/survey.js';
export type { EngineBackend } from './machine/find-binding.js';
export type { EngineScripts } from './process/find-scripts.js';
export type { EngineActivity } from './process/messages.js';
export type { ModelKind } from './model-kind.js';
