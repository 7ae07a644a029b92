import type { Selection, SelectionInput } from '@mai/selector';
import type { AssembledInput } from '../assemble/assemble-selection-input.js';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import type { DrainOptions } from './drain-until-idle.js';
import type { EmitRunEvent } from './run-event.js';

/** What a switch needs to know from whoever runs it. */
export interface SwitchContext {
  /** Reads the world; the argument adds model keys that are to be left alone in this run. */
  readonly observe: (coolingDownUntilMs: Record<string, number>) => Promise<AssembledInput>;
  readonly decide: (input: SelectionInput) => Selection;
  readonly deviceIdentifier: string | null;
  readonly isLeased: (instanceIdentifier: string) => boolean;
  /** Asked right before an unload: a pin may have come since the decision. */
  readonly isPinned: (instance: RuntimeInstance) => boolean;
  readonly dryRun: boolean;
  readonly drain: DrainOptions & { readonly force: () => boolean };
  readonly loadTimeoutMs: number | null;
  /** Idle time for what is loaded; undefined takes the candidate's own. */
  readonly ttlMs: number | null | undefined;
  readonly emit: EmitRunEvent;
  readonly signal: AbortSignal | null;
}
