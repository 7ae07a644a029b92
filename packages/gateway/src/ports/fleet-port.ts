import type { LoadSpeed, Tier } from '@mai/memory-ledger';

/** The fleet of a machine, for the page. `Fleet` of `@mai/fleet` satisfies this port. */
export interface FleetPort {
  /** Cheap: asked every second, and for each reader. */
  report(): FleetReport;
  /** Whether NATS answers a round trip before the deadline. `connected` may still be true while it does not. */
  ready(options: { readonly deadlineMs: number }): Promise<boolean>;
}

/** The fleet as this machine knows it. */
export interface FleetReport {
  readonly ownHost: string;
  readonly natsServers: readonly string[];
  /** Whether the connection to NATS was good when it was last checked. */
  readonly connected: boolean;
  /** Why there is no connection; null where there is one. */
  readonly fault: string | null;
  /** In the order in which the page shows them. */
  readonly hosts: readonly FleetHost[];
  /** The last requests of this gateway that were placed, newest first. */
  readonly placements: readonly FleetPlacement[];
}

/** A host as this machine knows it. */
export interface FleetHost {
  readonly condition:
    'ready' | 'serves-nobody' | 'stopping' | 'silent' | 'not-heard' | 'without-mai' | 'displaced';
  /** `lm-link`: a device of LM Link without Mai. */
  readonly kind: 'mai' | 'lm-link';
  readonly usable: boolean;
  /** Milliseconds since something new was heard, by this machine's monotonic clock; null where nothing was. */
  readonly silentMs: number | null;
  readonly state: {
    readonly host: string;
    readonly epoch: string;
    readonly revision: number;
    readonly address: string | null;
    readonly versions: {
      readonly mai: string;
      readonly runtime: string | null;
      readonly runtimeVersion: string | null;
    };
    readonly labels: Readonly<Record<string, string>>;
    readonly pools: readonly {
      readonly pool: string;
      readonly totalBytes: number;
      readonly limitBytes: number;
    }[];
    readonly models: readonly FleetModel[];
    readonly guests: { readonly memoryRatio: number } | null;
  };
  /** Null where the host has not reported its load yet. */
  readonly heartbeat: {
    readonly running: number;
    readonly queued: number;
    /** Requests of the busiest residents, by instance identifier. */
    readonly residents: Readonly<Record<string, number>>;
    readonly pressureRatio: number | null;
  } | null;
}

/** A model of a host. */
export interface FleetModel {
  readonly modelKey: string;
  readonly tier: Tier;
  readonly sizeBytes: number | null;
  readonly fit: 'now' | 'after-eviction' | 'no' | null;
  readonly speed: LoadSpeed | null;
  readonly quality: number | null;
  readonly residents: readonly {
    readonly instanceIdentifier: string;
    readonly contextLengthTokens: number | null;
    readonly footprintBytes: number | null;
    readonly foreign: boolean;
    readonly parallel: number;
  }[];
}

/** A placed request: who serves it, and why. */
export interface FleetPlacement {
  /** The text of the answer's header `x-mai-placement`. */
  readonly id: string;
  readonly atMs: number;
  /** The host that gave a lease; null where none did. */
  readonly host: string | null;
  readonly modelKey: string | null;
  readonly sentences: readonly { readonly text: string; readonly items: readonly string[] }[];
}
