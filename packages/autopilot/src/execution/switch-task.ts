import type { SelectionPolicy } from '@mai/memory-ledger';
import type { Selection, SelectionInput } from '@mai/selector';
import type { AssembledInput } from '../assemble/join-footprints.js';
import type { SwitchReason } from '../events/autopilot-event.js';
import type { LoadTarget } from './switch-progress.js';

/** A switch to carry out. */
export interface SwitchTask {
  readonly reason: SwitchReason;
  readonly policy: SelectionPolicy;
  readonly deviceIdentifier: string | null;
  /** The input of the decision that is carried out. */
  readonly input: AssembledInput;
  /** Assembles the input of each decision of the switch, the first included. */
  readonly observe: (coolingDownUntilMs: Record<string, number>) => Promise<AssembledInput>;
  readonly decide: (input: SelectionInput) => Selection;
  /** Whether somebody wants this load now. Called each time that a caller ceases to wait. `target` is null while no load is chosen yet. */
  readonly isWanted: (target: LoadTarget | null) => boolean;
  readonly signal: AbortSignal;
}
