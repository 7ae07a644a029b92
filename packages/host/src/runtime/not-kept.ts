import { HostError } from '../host-error.js';

/** The error for a load into the embedded engine that no process would keep. */
export function notKept(): HostError {
  return new HostError(
    'NOT_KEPT',
    'The embedded engine unloads its models when the process that has loaded them ends, and this command ends at once. `mai serve` in another terminal loads the best model and keeps it. While it runs, `mai load` loads a model into it.',
  );
}
