import type { Leases } from '../leases/leases.js';
import type { SwitchProgress } from './switch-progress.js';
import type { SwitchTask } from './switch-task.js';

/** Whether somebody still waits for the load of a switch. See `SwitchContext` for the signals. */
export interface Demand {
  readonly unwanted: AbortSignal;
  readonly overtaken: AbortSignal;
  /** Looks again. Call after each step of the switch, because a later load may serve other callers. */
  readonly check: () => void;
  readonly end: () => void;
}

/**
 * Watches the callers during a switch. The load is unwanted once no caller that it would serve waits. Then the earlier
 * models are loaded again. `overtaken` fires once a caller waits for something else than these models.
 */
export function watchDemand(
  leases: Pick<Leases, 'callers' | 'areAllMetBy'>,
  progress: Pick<SwitchProgress, 'target'>,
  { isWanted }: Pick<SwitchTask, 'isWanted'>,
): Demand {
  const unwanted = new AbortController();
  const overtaken = new AbortController();
  const check = (): void => {
    const { target } = progress;
    if (!unwanted.signal.aborted) {
      if (!isWanted(target)) unwanted.abort(cancelled('No caller waits for this load any more.'));
    } else if (target !== null && leases.callers.size > 0 && !leases.areAllMetBy(target)) {
      overtaken.abort(cancelled('Callers wait for another model.'));
    }
  };
  const end = leases.callers.onChanged(check);
  check();
  return { unwanted: unwanted.signal, overtaken: overtaken.signal, check, end };
}

function cancelled(message: string): DOMException {
  return new DOMException(message, 'AbortError');
}
