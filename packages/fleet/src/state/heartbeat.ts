/** The load of a host. Sent every two seconds; at most 256 bytes as JSON. */
export interface Heartbeat {
  readonly host: string;
  readonly epoch: string;
  /** Counts the heartbeats of an epoch, from 1. */
  readonly sequence: number;
  /**
   * Milliseconds since the host's process joined the fleet, by its own monotonic clock. Null where a host of an earlier version
   * does not tell it.
   */
  readonly uptimeMs: number | null;
  /** Revision of the newest state, so that a reader knows whether it missed one. */
  readonly revision: number;
  /** Requests that are answered now. */
  readonly running: number;
  /** Requests that wait. */
  readonly queued: number;
  /** Running and waiting requests of the busiest residents, by instance identifier; the others have none or did not fit in. */
  readonly residents: Readonly<Record<string, number>>;
  /** Use of the fullest pool, 0 to 1, as a share of its limit; null where it is not known. */
  readonly pressureRatio: number | null;
  /** Whether the host takes requests. False while it stops. */
  readonly ready: boolean;
}
