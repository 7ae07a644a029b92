import { toModelConfig } from '../file/to-model-config.js';
import type { ModelConfig } from '../model-config.js';
import { builtInFile } from './built-in-file.generated.js';

let config: ModelConfig | null = null;

/** The configuration that holds where there is no file. It is validated when Mai is built, not when it starts. */
export function builtInModelConfig(): ModelConfig {
  config ??= toModelConfig(builtInFile);
  return config;
}
