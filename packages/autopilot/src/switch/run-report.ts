import type { Selection } from '@mai/selector';
import type { AssembledInput } from '../assemble/assemble-selection-input.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import type { LoadFailure } from './load-failure.js';

/**
 * - `kept`: what was chosen is loaded already and nothing had to be done.
 * - `switched`: it is loaded now.
 * - `would-switch`: a dry run that found something to do.
 * - `released`: nothing fits and memory was about to run out, so what could go went.
 * - `put-off`: something busy was in the way until the drain deadline.
 * - `nothing-fits`: there is no candidate that can be loaded, and none was tried.
 * - `rolled-back`: what was tried failed, and what had been unloaded for it is back.
 * - `failed`: what was tried failed, and nothing is loaded in its place.
 */
export type RunOutcome =
  | 'kept'
  | 'switched'
  | 'would-switch'
  | 'released'
  | 'put-off'
  | 'nothing-fits'
  | 'rolled-back'
  | 'failed';

/** What a run did and why. */
export interface RunReport {
  readonly outcome: RunOutcome;
  /** The first decision, from the machine as it was found, with the input that it was made from. */
  readonly first: { readonly input: AssembledInput; readonly selection: Selection };
  /** The last one; the same as the first where nothing failed and nothing had to go. */
  readonly last: { readonly input: AssembledInput; readonly selection: Selection };
  /** Identifier of the instance that serves now; null where there is none. */
  readonly instanceIdentifier: string | null;
  /** What was loaded and stays, in order. */
  readonly loaded: readonly RuntimeInstance[];
  /** What was unloaded and is not back, in order. */
  readonly unloaded: readonly RuntimeInstance[];
  /** What was unloaded and is back. */
  readonly restored: readonly RuntimeInstance[];
  /** Identifiers of what was unloaded although it was busy. */
  readonly forced: readonly string[];
  /** What was tried and did not work, in order; roll-backs that failed among them. */
  readonly failures: readonly LoadFailure[];
  /** Identifiers of what was still busy at the drain deadline. */
  readonly busy: readonly string[];
}
