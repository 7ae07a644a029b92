export { readGgufHeader } from './gguf/read-gguf-header.js';
export type { ReadGgufHeaderOptions } from './gguf/read-gguf-header.js';
export type { ByteRangeReader } from './gguf/bytes/byte-source.js';
export type { GgufArray, GgufHeader, GgufTensor } from './gguf/gguf-header.js';
export type { GgufScalar } from './gguf/bytes/value-types.js';
export type { TokenFacts } from './gguf/bytes/token-list.js';
export type { GgufValueType } from './gguf/bytes/value-types.js';
export { isModelFileError, ModelFileError } from './gguf/model-file-error.js';
export type { ModelFileErrorCode, ModelFileErrorFacts } from './gguf/model-file-error.js';
export { modelShape } from './speed/model-shape.js';
export { openHeaderCache } from './cache/header-cache.js';
export { openStampedStore, type StampedStore } from './cache/stamped-store.js';
export type { HeaderCache } from './cache/header-cache.js';
export type { SaveOutcome } from './files/atomic-file.js';
export { refuseMlx } from './refusal/other-kinds.js';
export { embeddingWidth } from './refusal/embedding-width.js';
export { refuseEmbedded, refuseModel } from './refusal/refuse-model.js';
export type { ModelRefusal, ModelRefusalCode } from './refusal/model-refusal.js';
export { estimateFootprint } from './estimate/estimate-footprint.js';
export { estimateReport } from './estimate/estimate-report.js';
export type {
  EngineOfReport,
  EstimateReport,
  ReportedDevice,
  ReportedRam,
} from './estimate/estimate-report.js';
export { estimateReportFromFileSize } from './file-size/size-report.js';
export { estimateFromFileSize, growthBySize } from './file-size/estimate-from-file-size.js';
export type { FileSizeFacts, FileSizeFootprint } from './file-size/estimate-from-file-size.js';
export { parseRuntimeName } from './profile/runtime-version.js';
export type { RuntimeName } from './profile/runtime-version.js';
export { resolveEngineProfile, withKnownSettings } from './profile/resolve-profile.js';
export type { EngineQuestion } from './profile/resolve-profile.js';
export type {
  EngineMemory,
  EngineProfile,
  ProfileSetting,
  ProfileValues,
} from './profile/engine-profile.js';
export type { SettingFromProfile } from './load/choose-settings.js';
export type { UsedProfile } from './load/used-profile.js';
export { CPU_ENVIRONMENT, environmentOf } from './load/environment.js';
export type { EstimateEnvironment } from './load/environment.js';
export type { ByteRange, FootprintEstimate, PartIntervals } from './estimate/footprint-estimate.js';
export type { MemoryParts, PartName } from './memory/memory-parts.js';
export type { Growth, GrowthPart } from './memory/growth.js';
export type { MemoryBudget } from './search/budget.js';
export { longestContext } from './search/longest-context.js';
export type { ContextFit } from './search/longest-context.js';
export { cheapestFit } from './search/cheapest-fit.js';
export type { CheapestFit, KvCacheTypes, TradeOff } from './search/cheapest-fit.js';
export { checkEstimateSettings } from './load/check-estimate-settings.js';
export type { SettingsProblem } from './settings/check-figures.js';
export { NO_SETTINGS } from './settings/estimate-settings.js';
export type {
  CpuKernels,
  CpuKind,
  EngineRules,
  EstimateSettings,
  GpuBackend,
  ResolvedSettings,
} from './settings/estimate-settings.js';
export { openMeasurementStore } from './calibration/measurement-store.js';
export type { MeasurementStore, MeasurementStoreOptions } from './calibration/measurement-store.js';
export { openCalibrationStore } from './calibration/calibration-store.js';
export type { CalibrationStore, CalibrationStoreOptions } from './calibration/calibration-store.js';
export { calibrateFootprint } from './calibration/calibrate-footprint.js';
export { combineWithLMStudio } from './calibration/combine-with-lmstudio.js';
export type { CombinedFootprint, LMStudioEstimate } from './calibration/combine-with-lmstudio.js';
export { measureFootprint } from './calibration/measure-footprint.js';
export type {
  MeasureOutcome,
  MeasurePorts,
  MemoryReading,
  UntrustedReason,
} from './calibration/measure-footprint.js';
export type {
  CalibrationTarget,
  Engine,
  MeasuredMemory,
  Observation,
} from './calibration/observation.js';
export { readMlxModel } from './mlx/read-mlx-model.js';
export type { MlxModel } from './mlx/read-mlx-model.js';
export type { MlxCacheShape } from './mlx/cache-shape.js';
export type { MlxKvQuantization } from './mlx/sequence-memory.js';
export { estimateMlx, mlxEnvironmentOf } from './mlx/estimate-mlx.js';
export type { MlxEnvironment, MlxEstimate } from './mlx/estimate-mlx.js';
export type { MlxAutoFit } from './mlx/fit-mlx-context.js';
export { mlxReport } from './mlx/mlx-report.js';
