import type { ModelConfigSource } from '@mai/model-config';
import { candidateSources, isModelConfigError } from '@mai/model-config';
import type { HostContext } from '../host-options.js';
import { configOptions, loadConfig } from './load-config.js';

/** The places that are searched for a configuration. */
export interface ConfigPlaces {
  /** In search order. */
  readonly places: readonly ModelConfigSource[];
  /** The file in use; null: the built-in configuration. */
  readonly file: string | null;
  /** Whether the file in use has faults. Commands that need the configuration then fail. */
  readonly invalid: boolean;
}

/**
 * Finds the configuration in use. A file with faults counts as in use. @throws ModelConfigError
 * `CONFIG_NOT_FOUND`
 */
export async function findConfigPlaces(context: HostContext): Promise<ConfigPlaces> {
  const places = candidateSources(configOptions(context));
  try {
    return { places, file: (await loadConfig(context)).source.file, invalid: false };
  } catch (error) {
    if (!isModelConfigError(error) || error.code !== 'CONFIG_INVALID') throw error;
    return { places, file: error.file, invalid: true };
  }
}
