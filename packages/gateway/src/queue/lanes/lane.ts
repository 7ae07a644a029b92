import type { ServingCatalog, ServingLease, ServingRequest } from '../../ports/serving-port.js';
import { serves } from '../serves.js';

/** A lease on a resident, with the requests that run on it. */
export interface Lane {
  readonly lease: ServingLease;
  /** Keys of the groups for which the machine gave this resident. */
  readonly grantedTo: Set<string>;
  /** Whether the machine has looked at the resident again after its last failure. */
  verified: boolean;
  running: number;
  /**
   * `open`: takes requests. `draining`: the machine waits until it is idle. `yielding`: its memory is for requests that
   * have waited long. `closed`: failed, lost or released.
   */
  state: 'open' | 'draining' | 'yielding' | 'closed';
  /** When the last request on it ended. */
  idleSinceMs: number;
  /** Cancels the timer that looks whether the linger time is over. Null where none runs. */
  cancelLinger: (() => void) | null;
  readonly forget: () => void;
}

/** Whether a lane serves a request: by the rules, or because the machine gave its resident for the same request. */
export function laneServes(
  { lease, grantedTo, verified }: Lane,
  wanted: ServingRequest,
  groupKey: string,
  catalog: ServingCatalog,
): boolean {
  if (!verified && wanted.failed.includes(lease.instanceIdentifier)) return false;
  return grantedTo.has(groupKey) || serves(lease, wanted, catalog);
}
