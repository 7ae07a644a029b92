import type {
  LoadedModelConfig,
  LoadModelConfigOptions,
  ModelConfigSource,
} from '@mai/model-config';
import { loadModelConfig } from '@mai/model-config';
import type { CommandContext } from '../context.js';

/** Where a command looks for the configuration. */
export function configOptions({ io, globals }: CommandContext): LoadModelConfigOptions {
  return {
    path: globals.configFile,
    env: io.env,
    cwd: io.cwd,
    userConfigDir: io.folders.config,
    cacheDir: io.folders.cache,
  };
}

/** The configuration in use. @throws ModelConfigError */
export function loadConfig(context: CommandContext): Promise<LoadedModelConfig> {
  return loadModelConfig(configOptions(context));
}

/** Why this configuration and no other, in a few words. */
export function describeSource(source: ModelConfigSource): string {
  switch (source.kind) {
    case 'explicit':
      return 'given with --config';
    case 'environment':
      return 'named by MAI_CONFIG';
    case 'project':
      return 'of this folder';
    case 'user':
      return 'of this user';
    case 'built-in':
      return 'built in';
  }
}
