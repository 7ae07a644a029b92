import { knownError } from '../src/exit-codes.js';

/** Whether a call throws an error that ends the run with exit code 2. */
export function isUsageError(call: () => unknown): boolean {
  try {
    call();
  } catch (error) {
    return knownError(error)?.exitCode === 2;
  }
  return false;
}
