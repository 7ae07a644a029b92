import { toModelConfig } from './to-model-config.js';
import type { ModelConfig } from '../model-config.js';

let config: ModelConfig | null = null;

/** The configuration that is used where there is no file: that of a file without content. It is validated when this package is built. */
export function builtInModelConfig(): ModelConfig {
  config ??= toModelConfig({ version: 1 });
  return config;
}
