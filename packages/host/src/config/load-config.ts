import type {
  LoadedModelConfig,
  LoadModelConfigOptions,
  ModelConfigSource,
} from '@mai/model-config';
import { defineModelConfig, loadModelConfig } from '@mai/model-config';
import type { HostContext } from '../host-options.js';

/** The places in which a host searches for its configuration. */
export function configOptions({
  configFile,
  env,
  cwd,
  folders,
}: HostContext): LoadModelConfigOptions {
  return { path: configFile, env, cwd, userConfigDir: folders.config, cacheDir: folders.cache };
}

/** Reads the configuration in use from its file. @throws ModelConfigError */
export async function loadConfig(context: HostContext): Promise<LoadedModelConfig> {
  if (context.config === null) return loadModelConfig(configOptions(context));
  return {
    config: await defineModelConfig(context.config),
    source: { kind: 'built-in', file: null },
    absent: [],
  };
}

/** The reason why a configuration is in use, in a few words. */
export function describeSource(source: ModelConfigSource): string {
  switch (source.kind) {
    case 'explicit':
      return 'given with --config';
    case 'environment':
      return 'named by MAI_CONFIG';
    case 'project':
      return 'for this folder';
    case 'user':
      return 'for this user';
    case 'built-in':
      return 'built in';
  }
}

/** The JSON Schema of `models.yaml`. */
export async function configSchema(): Promise<object> {
  const { default: schema } = await import('@mai/model-config/schema.json', {
    with: { type: 'json' },
  });
  return schema;
}
