import type { PlacementInput } from '../placement/placement-input.js';
import type { Placement } from '../placement/placement.js';

/** One host that was asked to serve a request, and its answer. */
export interface PlacementAttempt {
  readonly host: string;
  /** Null where the host chose the model itself. */
  readonly modelKey: string | null;
  readonly outcome: 'granted' | 'refused' | 'unreachable';
  /** Code of a refusal or a failure; null where the host gave a lease. */
  readonly reason: string | null;
  /** One sentence for a person; null where the host gave a lease. */
  readonly message: string | null;
  /** Figures of a refusal by name. */
  readonly figures: Readonly<Record<string, number>>;
  readonly tookMs: number;
}

/** A request of this gateway, the choice among the hosts, and the hosts that were asked. */
export interface PlacedRequest {
  /** The text of the answer's header `x-mai-placement`. */
  readonly id: string;
  /** Epoch milliseconds, for display. */
  readonly atMs: number;
  /** The input of the choice. Null where it has more than `KEPT_HOSTS_MAX` hosts. */
  readonly input: PlacementInput | null;
  readonly placement: Placement;
  readonly attempts: readonly PlacementAttempt[];
}

/** An input with more hosts is not kept with its placement, so that the log stays small. */
export const KEPT_HOSTS_MAX = 16;

/** Keeps placements. */
export interface PlacementJournal {
  /** Never throws and never waits. */
  record(placed: PlacedRequest): void;
}
