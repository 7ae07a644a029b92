import type { Selection, SelectionInput } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import type { DrainOptions } from './drain.js';
import type { EmitRunEvent } from './report/run-event.js';

/** The inputs of `runSwitch` besides the ports. */
export interface SwitchContext {
  /** Assembles the input of a decision. The argument adds the cool-downs of models that failed in this run. */
  readonly observe: (coolingDownUntilMs: Record<string, number>) => Promise<AssembledInput>;
  readonly decide: (input: SelectionInput) => Selection;
  readonly deviceIdentifier: string | null;
  readonly isLeased: (instanceIdentifier: string) => boolean;
  /** Called right before an unload, because a pin may be newer than the decision. */
  readonly isPinned: (instance: RuntimeInstance) => boolean;
  readonly dryRun: boolean;
  readonly drain: DrainOptions & { readonly force: () => boolean };
  readonly loadTimeoutMs: number | null;
  /** Idle time of a loaded model; null for none, undefined for the candidate's own. */
  readonly ttlMs: number | null | undefined;
  readonly emit: EmitRunEvent;
  readonly signal: AbortSignal | null;
  /**
   * Fires when nobody waits for the load any more. A load under way then ends, and what was unloaded for it is loaded again.
   * A load that has completed stays.
   */
  readonly unwanted: AbortSignal | null;
  /** Fires when callers wait for another model than the one that is loaded again after `unwanted`. */
  readonly overtaken: AbortSignal | null;
}
