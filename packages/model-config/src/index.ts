export { CAPABILITIES, TIERS } from './model-config.js';
export type {
  Capability,
  ChainEntry,
  ConfiguredModel,
  KvCacheType,
  LoadConfig,
  ModelConfig,
  Rule,
  SimulatedModel,
  SimulatedRung,
  SwitchingConfig,
  Tier,
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
export type { ParseResult } from './file/parse-model-config.js';
export type {
  LoadSection,
  ModelConfigFile,
  ModelSection,
  SimulateSection,
  SwitchingSection,
} from './file/model-config-file.js';
export { parseDurationMs, parseSizeBytes } from './file/quantities.js';

export { formatIssue } from './diagnostics/issue.js';
export type { ModelConfigIssue, ModelConfigIssueCode } from './diagnostics/issue.js';
export { isModelConfigError, ModelConfigError } from './diagnostics/model-config-error.js';
export type { ModelConfigErrorCode } from './diagnostics/model-config-error.js';

export { candidateSources, loadModelConfig } from './load-model-config.js';
export type {
  LoadedModelConfig,
  LoadModelConfigOptions,
  ModelConfigSource,
} from './load-model-config.js';
export { builtInModelConfig } from './built-in/built-in-model-config.js';

export { mergeWithDownloaded } from './profile/merge-with-downloaded.js';
export type { ModelProfile } from './profile/merge-with-downloaded.js';
export type { DownloadedModel } from './profile/downloaded-model.js';
export { chain, resolveChain } from './chain.js';
export { toSelectionPolicy } from './selection-policy.js';
export type { SelectionPolicy } from './selection-policy.js';

export type { EditValue } from './edit/yaml-source.js';
