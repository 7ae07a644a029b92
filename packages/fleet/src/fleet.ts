import type { Clock } from './clock.js';
import type { FleetView } from './fleet-view.js';
import type { OwnFactsPort } from './own/own-facts.js';
import type { GatewayLoad } from './own/own-load.js';
import type { ServingPort } from './serving/serving-port.js';
import type { FleetReport } from './text/report-fleet.js';

/** The parts of a machine that joins its fleet. */
export interface CreateFleetOptions {
  /** Folder of the fleet's files. */
  readonly folder: string;
  /** The serving port of this machine. */
  readonly local: ServingPort;
  readonly facts: OwnFactsPort;
  /** Version of Mai, for the other hosts. */
  readonly version: string;
  readonly clock?: Clock;
  /** Called with what a person should know, one sentence each. */
  readonly warn?: (message: string) => void;
}

/** A machine's part in its fleet. */
export interface Fleet extends AsyncDisposable {
  /** The serving port over all hosts, for the gateway of this machine's clients. */
  readonly serving: ServingPort;
  /** Decides which hosts may use the gateway for other hosts, and for what. `PeerRules` of `@mai/gateway`. */
  readonly peers: {
    hostOf(fingerprint: string): string | null;
    residentOf(lease: string, host: string): string | null;
    endOf(lease: string): AbortSignal | null;
    began(lease: string): () => void;
  };
  /** The certificates of the gateway for other hosts, as they are now. */
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string };
  /** Calls `listener` after each change of this machine's certificate, and of the list of hosts. */
  onIdentityChange(listener: () => void): void;
  /**
   * Tells the other hosts where this machine's gateway for them is, and from now on its load.
   *
   * @param gateway - its URL; or its port, where it listens on all network interfaces. Then the address is the one from which this
   *   machine reaches nats-server, and the other hosts hear of each change
   * @param load - the requests of this machine's gateways, read every second
   */
  announce(gateway: string | number, load: () => readonly GatewayLoad[]): void;
  /**
   * Tells the other hosts at once that this machine takes no new requests, and gives no new leases. Running requests keep their
   * leases. For a machine that is about to stop: this cannot be undone.
   */
  drain(): void;
  /** The fleet as this machine knows it. */
  view(): FleetView;
  /** The fleet for a page, with the last placements in words. */
  report(): FleetReport;
  /** Whether NATS answers a round trip before the deadline. */
  ready(options: { readonly deadlineMs: number }): Promise<boolean>;
}
