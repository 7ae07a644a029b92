import type { Tier } from '@mai/memory-ledger';
import type { Resident, Selection } from '@mai/selector';
import type { RuntimeInstance } from '../ports/runtime-port.js';
import type { LeaseRequest, LeaseTarget } from '../request/lease-request.js';

/** A promise that a model stays resident: while the lease is held, the model counts as busy. */
export interface Lease extends Disposable {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  /** Null where the runtime does not report it. */
  readonly contextLengthTokens: number | null;
  /** The logged decision that was in force when the lease was given; null where no decision was logged. */
  readonly decisionId: string | null;
  /** Ends the use. May be called more than once. */
  release(): void;
}

/** A lease, or the decision that says why no lease is given, with its identifier in the log; null where it was not logged. */
export type AcquireResult =
  | { readonly lease: Lease; readonly selection: null }
  | { readonly lease: null; readonly selection: Selection; readonly decisionId: string | null };

/** One round's target, and the requests that wait for it. */
export interface Turn {
  readonly key: string;
  /** Null stands for the autopilot's own target, which no caller waits for. */
  readonly target: LeaseTarget | null;
  /** The requests that the decision is for. Empty with a null target. */
  readonly requests: readonly LeaseRequest[];
}

/** The residents of a round. */
export interface ObservedResidents {
  readonly residents: readonly Resident[];
  /** The residents as the runtime has listed them. In `residents`, a context length may be the one that was asked for. */
  readonly instances: readonly RuntimeInstance[];
  /** Whether the runtime listed them for this round. */
  readonly fresh: boolean;
  /** The result of `beginRound` before the listing. */
  readonly round: number;
}
