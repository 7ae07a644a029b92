import { isModelConfigError } from '@mai/model-config';
import type { HostContext } from '../host-options.js';
import { loadConfig } from './load-config.js';

/**
 * The folders with GGUF files for the embedded engine: those of the host's options, then those of the configuration.
 * A configuration with faults names none; whoever needs it reports its faults.
 */
export async function findModelFolders(context: HostContext): Promise<readonly string[]> {
  try {
    const { config } = await loadConfig(context);
    return [...context.modelFolders, ...config.modelFolders];
  } catch (error) {
    if (!isModelConfigError(error)) throw error;
    return context.modelFolders;
  }
}
