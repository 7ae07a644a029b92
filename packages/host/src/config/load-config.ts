import type { LoadedModelConfig, LoadModelConfigOptions } from '@mai/model-config';
import { defineModelConfig, loadModelConfig } from '@mai/model-config';
import type { HostContext } from '../host-options.js';

/** Where a host looks for its configuration. */
export function configOptions({
  configFile,
  env,
  cwd,
  folders,
}: HostContext): LoadModelConfigOptions {
  return { path: configFile, env, cwd, userConfigDir: folders.config, cacheDir: folders.cache };
}

/** The configuration in use, read anew. @throws ModelConfigError */
export async function loadConfig(context: HostContext): Promise<LoadedModelConfig> {
  if (context.config === null) return loadModelConfig(configOptions(context));
  return {
    config: await defineModelConfig(context.config),
    source: { kind: 'built-in', file: null },
    absent: [],
  };
}
