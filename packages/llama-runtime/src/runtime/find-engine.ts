import { isLlamaRuntimeError } from '../errors.js';
import { findBinding } from '../process/find-binding.js';
import { engineOf, type SelectedEngine } from './machine.js';

/** The installed engine that `createLlamaRuntime` would use; `null` where none is installed. Loads nothing. */
export async function findEngine(): Promise<SelectedEngine | null> {
  try {
    return engineOf(await findBinding(true, import.meta.url));
  } catch (error) {
    if (isLlamaRuntimeError(error) && error.code === 'ENGINE_MISSING') return null;
    throw error;
  }
}
