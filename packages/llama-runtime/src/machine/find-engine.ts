import { isLlamaRuntimeError } from '../errors.js';
import { findBinding } from './find-binding.js';
import { availableCores } from './available-cores.js';
import { engineOf, type InstalledEngine } from './survey.js';

/** The installed engine that `createLlamaRuntime` would use; `null` where none is installed. Loads nothing. */
export async function findEngine(): Promise<InstalledEngine | null> {
  try {
    return engineOf(await findBinding(true, import.meta.url), await availableCores());
  } catch (error) {
    if (isLlamaRuntimeError(error) && error.code === 'ENGINE_MISSING') return null;
    throw error;
  }
}
