import type { Capability, Tier } from '@mai/memory-ledger';

// Requests of one host to another, and their answers. Both sides check every message, see lease-codec.ts.

/** The conditions for the model. Null and empty fields set no condition. */
export interface LeaseRequest {
  readonly capabilities: readonly Capability[];
  readonly minContextLengthTokens: number | null;
  /** The context length of a load, where the other host gives nothing else up for it. */
  readonly preferredContextLengthTokens: number | null;
  readonly tiers: readonly Tier[] | null;
  /** Name of a fallback chain of the other host. */
  readonly chain: string | null;
  readonly modelKey: string | null;
  readonly instanceIdentifier: string | null;
  /** Residents of the other host that have just failed a request. */
  readonly failed: readonly string[];
  /** The request at the asker, so that both hosts' logs can be joined; at most 100 characters. */
  readonly requestId: string;
}

/** The resident of the granting host that a lease keeps. */
export interface LeasedResident {
  readonly modelKey: string;
  readonly instanceIdentifier: string;
  readonly tier: Tier;
  readonly capabilities: readonly Capability[];
  readonly contextLengthTokens: number | null;
  /** Identifies the decision at the granting host; null where none was logged. */
  readonly decisionId: string | null;
}

/**
 * Proof of a lease: epoch of the granting host and a counter of that epoch, as `0123456789abcdef-17`. The granting gateway
 * takes a request only with a token that it honours.
 */
export type FencingToken = string;

/** Why a host does not serve a request. An expected outcome, so it is a value. */
export interface LeaseRefusal {
  readonly kind: 'refused';
  /** Code, such as `NOTHING_FITS`, `NO_GUESTS`, `STOPPING` or a code of the host's own autopilot. */
  readonly reason: string;
  /** One sentence for a person. */
  readonly message: string;
  /** Figures of the refusal by name, such as `neededBytes` and `availableBytes`. */
  readonly figures: Readonly<Record<string, number>>;
}

/** A lease at another host. It is renewed until it is released. */
export interface HeldLease {
  readonly host: string;
  readonly epoch: string;
  readonly token: FencingToken;
  readonly resident: LeasedResident;
  /** Fires when the lease has ended without a release: the host ended it, restarted, or did not answer in time. */
  readonly lost: AbortSignal;
  /** Releases the lease. May be called more than once. Never rejects; an unreachable host ends the lease by itself. */
  release(): Promise<void>;
}

/** The answer of another host. */
export type LeaseAnswer =
  | { readonly kind: 'granted'; readonly lease: HeldLease }
  | {
      readonly kind: 'promised';
      /** Expected milliseconds until the model is loaded; null where it is not known. */
      readonly expectedMs: number | null;
      /**
       * The outcome of the load. Refused also where the deadline has passed.
       *
       * @throws FleetError `FLEET_UNREACHABLE` once the host no longer answers; the signal's reason
       */
      granted(): Promise<{ readonly kind: 'granted'; readonly lease: HeldLease } | LeaseRefusal>;
      /** Gives up. The host stops the load where nobody else wants it. Never rejects. */
      cancel(): Promise<void>;
    }
  | LeaseRefusal;

/** Asks other hosts for leases. */
export interface LeaseAsker extends AsyncDisposable {
  /**
   * Asks `host` for a resident.
   *
   * @param options.deadlineMs for everything, the load included
   * @param options.signal cancels the request, and the load at the other host where nobody else wants it
   * @throws FleetError `FLEET_UNREACHABLE` where the host does not answer; the signal's reason
   */
  acquire(
    host: string,
    request: LeaseRequest,
    options: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<LeaseAnswer>;
}

/** How the granting host gets a resident. Its own serving port does the work. */
export interface LeaseGrantPort {
  /** A resident that stays until it is released. Loads a model where needed. Rejects where nothing serves the request. */
  acquire(
    request: LeaseRequest,
    options: { readonly signal: AbortSignal; readonly asker: string },
  ): Promise<GrantedResident>;
  /** Expected milliseconds until `acquire` succeeds: 0 where a resident serves; null where it is not known. */
  expectedMs(
    request: LeaseRequest,
    options: { readonly signal: AbortSignal },
  ): Promise<number | null>;
  /** The refusal that the asker gets for an error of `acquire`. */
  refusalOf(error: unknown): Omit<LeaseRefusal, 'kind'>;
}

export interface GrantedResident {
  readonly resident: LeasedResident;
  /** Fires when the resident is lost without a release. */
  readonly lost: AbortSignal;
  /** Never rejects. */
  release(): Promise<void>;
}

/** The leases that a host has granted. */
export interface LeaseServer extends AsyncDisposable {
  /** Whether a token belongs to a lease of this epoch that has not ended. With `asker`, also whether that host holds it. */
  isHonoured(token: FencingToken, asker?: string): boolean;
  /** The resident of a token whose lease is in force; null for any other token. */
  residentOf(token: FencingToken, asker?: string): LeasedResident | null;
  /** Fires when the lease of a token ends; null for a token whose lease is not in force. */
  endOf(token: FencingToken): AbortSignal | null;
  /** A request runs on a lease. Returns what to call at its end. A lease without a request ends after a minute. */
  began(token: FencingToken): () => void;
  /** The leases in force, for display. */
  list(): readonly GrantedLease[];
  /** Refuses new requests, and those whose load is under way. Leases in force go on. */
  drain(): void;
}

export interface GrantedLease {
  readonly token: FencingToken;
  readonly asker: string;
  readonly resident: LeasedResident;
  readonly requestId: string;
  /** Milliseconds until it ends without a renewal. */
  readonly remainingMs: number;
}
