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

/** A request of this gateway, the choice among the hosts, and who was asked. */
export interface PlacedRequest {
  /** The text of the answer's header `x-mai-placement`. */
  readonly id: string;
  /** Epoch milliseconds, for display. */
  readonly atMs: number;
  /** What the choice depended on. Null where it names more hosts than are kept. */
  readonly input: PlacementInput | null;
  readonly placement: Placement;
  readonly attempts: readonly PlacementAttempt[];
}

/** Most hosts of an input that is kept with its placement: a house, not a company. */
export const KEPT_HOSTS_MAX = 16;

/** Keeps placements. */
export interface PlacementJournal {
  /** Never throws and never waits. */
  record(placed: PlacedRequest): void;
}
