import { toModelConfig } from '../parse/to-model-config.js';
import type { ModelConfig } from '../model-config.js';
import { builtInFile } from './built-in-file.generated.js';

let config: ModelConfig | null = null;

/** The configuration that is used where there is no file. It is validated when this package is built. */
export function builtInModelConfig(): ModelConfig {
  config ??= toModelConfig(builtInFile);
  return config;
}
