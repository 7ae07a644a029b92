import type { Selection } from '@mai/selector';
import type { AssembledInput } from '../../assemble/join-footprints.js';
import type { RuntimeInstance } from '../../ports/runtime-port.js';
import type { LoadFailure } from '../../failures/load-failure.js';

/**
 * - `kept`: the chosen model was loaded already, and nothing had to be done.
 * - `switched`: the chosen model is loaded now, or the model that it replaced is unloaded now.
 * - `would-switch`: a dry run found something to do.
 * - `released`: nothing fits and memory was about to run out, so our idle instances were unloaded.
 * - `put-off`: an instance that had to be unloaded was busy until the drain deadline.
 * - `nothing-fits`: no candidate fits, and no load was tried.
 * - `rolled-back`: the loads failed, and the models that had been unloaded for them are loaded again.
 * - `failed`: the loads failed, and nothing is loaded in their place.
 * - `cancelled`: nobody waits for the load any more. What had been unloaded for it is loaded again, unless callers wait for
 *   another model meanwhile.
 */
export type RunOutcome =
  | 'kept'
  | 'switched'
  | 'would-switch'
  | 'released'
  | 'put-off'
  | 'nothing-fits'
  | 'rolled-back'
  | 'failed'
  | 'cancelled';

/** The result of a run. */
export interface RunReport {
  readonly outcome: RunOutcome;
  /** The first decision, with its input. */
  readonly first: { readonly input: AssembledInput; readonly selection: Selection };
  /** The last decision; the same as the first when one decision was enough. */
  readonly last: { readonly input: AssembledInput; readonly selection: Selection };
  /** Identifier of the instance that serves now; null when no instance serves. */
  readonly instanceIdentifier: string | null;
  /** Instances that were loaded and are still resident, in order. */
  readonly loaded: readonly RuntimeInstance[];
  /** Instances that were unloaded and not loaded again, in order. */
  readonly unloaded: readonly RuntimeInstance[];
  /** Instances that were unloaded and loaded again. */
  readonly restored: readonly RuntimeInstance[];
  /** Identifiers of instances that were unloaded although they were busy. */
  readonly forced: readonly string[];
  /** Loads that failed, in order, roll-backs included. */
  readonly failures: readonly LoadFailure[];
  /** Identifiers of instances that were still busy at the drain deadline. */
  readonly busy: readonly string[];
}
