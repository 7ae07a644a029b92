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
   * Fires when nobody waits for the load any more. A load in progress then ends, and the models that were unloaded for it
   * are loaded again. A model whose load has completed stays loaded.
   */
  readonly unwanted: AbortSignal | null;
  /** Fires while earlier models are loaded again after `unwanted`, as soon as callers wait for a different model. */
  readonly overtaken: AbortSignal | null;
}
