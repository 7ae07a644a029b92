export type {
  ChainEntry,
  ConfiguredModel,
  FleetConfig,
  GatewayConfig,
  ModelConfig,
  Rule,
  SimulatedModel,
  SimulatedRung,
  SwitchingConfig,
} from './model-config.js';

export {
  addConfiguredModel,
  defineModelConfig,
  parseModelConfig,
  removeConfiguredModel,
  renderModelConfig,
  setConfigField,
  setFallbackChain,
} from './lazy.js';
export type { ParseResult } from './parse/parse-model-config.js';
export type { RuntimeName } from './format/runtimes.js';
export type {
  FleetSection,
  GatewaySection,
  GuestsSection,
  LoadSection,
  ModelConfigFile,
  ModelSection,
  SimulateRungSection,
  SimulateSection,
  SwitchingSection,
} from './format/model-config-file.js';
export { isConfigurableModelKey } from './format/model-key.js';
export { parseDurationMs, parseSizeBytes } from './format/quantities.js';
export type { EditValue } from './edit/yaml-source.js';

export { didYouMean } from './diagnostics/did-you-mean.js';
export { formatIssue } from './diagnostics/issue.js';
export type { ModelConfigIssue, ModelConfigIssueCode } from './diagnostics/issue.js';
export { isModelConfigError, ModelConfigError } from './diagnostics/model-config-error.js';
export type { ModelConfigErrorCode } from './diagnostics/model-config-error.js';

export { candidateSources, loadModelConfig } from './load/load-model-config.js';
export type {
  LoadedModelConfig,
  LoadModelConfigOptions,
  ModelConfigSource,
} from './load/load-model-config.js';
export { builtInModelConfig } from './parse/built-in-model-config.js';

export { keyThatLoads, otherNames, withSelectedVariants } from './profile/key-that-loads.js';
export { mergeWithDownloaded } from './profile/merge-with-downloaded.js';
export type { ModelProfile } from './profile/merge-with-downloaded.js';
export type { DownloadedModel } from './profile/downloaded-model.js';
export { chain, chainCapability, resolveChain } from './chain.js';
export type { ChainProfile } from './chain.js';
export { toSelectionPolicy } from './selection-policy.js';

export { qualityOf, qualityUseOf } from './quality/quality-of.js';
export { qualityOfProfile } from './profile/order-profiles.js';
export {
  rememberQualities,
  type JudgeQuality,
  type QualityStore,
} from './quality/remember-qualities.js';
export type { ModelQuality, QualityFacts } from './quality/quality-of.js';
export { QUALITY_USES } from './quality/model-facts.js';
export type { ConfiguredQuality, QualityUse } from './quality/model-facts.js';
export { parseParameterCounts } from './quality/parameter-counts.js';
export type { ParameterCounts } from './quality/parameter-counts.js';
