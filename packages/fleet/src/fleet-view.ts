import type { GrantedLease } from './leases/lease-types.js';
import type { KnownHost } from './state/known-host.js';

/** The fleet as one machine knows it. Plain data. */
export interface FleetView {
  readonly ownHost: string;
  readonly natsServers: readonly string[];
  /** Whether the connection to NATS was good when it was last checked. */
  readonly connected: boolean;
  /** Host and port of the nats-server of the connection; null without one. */
  readonly server: string | null;
  /** The reason where there is no connection, or where this machine serves no other host despite a connection; null otherwise. */
  readonly fault: string | null;
  /** Whether another machine serves under the name of this one, with a copy of its keys. This machine then serves no other host. */
  readonly displaced: boolean;
  readonly hosts: readonly KnownHost[];
  /** Names of all hosts that belong to the fleet by the newest list that this machine has, itself included. */
  readonly paired: readonly string[];
  /** Leases that this machine has given to others. */
  readonly granted: readonly GrantedLease[];
}
