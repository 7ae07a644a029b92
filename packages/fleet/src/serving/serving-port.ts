import type { Tier } from '@mai/memory-ledger';
import type { PeerCertificate, SecureContext } from 'node:tls';

// The part of a gateway's serving port that a fleet needs. A host offers it, and a fleet offers it again for all hosts.
// `ServingPort` of `@mai/gateway` has the same shape.

/** Options of a call that can be cancelled. A cancelled call rejects with the signal's reason. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Chooses and leases models for requests. */
export interface ServingPort {
  catalog(options?: CallOptions): Promise<ServingCatalog>;
  acquire(request: ServingRequest, options?: CallOptions): Promise<ServingLease>;
  plan(request: ServingRequest, options?: CallOptions): Promise<ServingPlan>;
  changes(options?: CallOptions): AsyncIterable<ServingChange>;
}

/** The conditions for the model that serves. Null and empty fields set no condition. */
export interface ServingRequest {
  readonly capabilities: readonly string[];
  readonly minContextLengthTokens: number | null;
  readonly preferredContextLengthTokens: number | null;
  readonly tiers: readonly Tier[] | null;
  readonly chain: string | null;
  readonly modelKey: string | null;
  readonly instanceIdentifier: string | null;
  readonly failed: readonly string[];
  readonly promptTokens: number | null;
  readonly prefixKey: string | null;
}

/** A promise that a resident stays. */
export interface ServingLease {
  readonly modelKey: string;
  readonly instanceIdentifier: string;
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  readonly contextLengthTokens: number | null;
  readonly baseUrl: string;
  readonly requestHeaders: Readonly<Record<string, string>>;
  readonly decisionId: string | null;
  /** The gateway of the other host that serves the resident; null where this machine serves it. */
  readonly peer: ServingPeer | null;
  readonly forOneRequest: boolean;
  /** Called with how the request on the lease ended, unless the client has left. Never throws. Null: nobody wants to know. */
  readonly ended: ((outcome: PeerOutcome) => void) | null;
  readonly placementId: string | null;
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** The gateway of another host. */
export interface ServingPeer {
  readonly host: string;
  readonly instanceIdentifier: string;
  readonly tls: PeerTls;
  /**
   * Called with how each request to the host ended, unless the client has left. So further requests can go elsewhere. Never throws.
   */
  readonly ended: (outcome: PeerOutcome) => void;
}

/**
 * How a request ended: `answered` with a whole answer, `failed` with a refusal, an error or a part of an answer, or
 * because nothing arrived from another host any more (`out-of-reach`).
 */
export type PeerOutcome = 'answered' | 'failed' | 'out-of-reach';

/** TLS settings with which this machine and another host prove their identity to each other. */
export interface PeerTls {
  readonly secureContext: SecureContext;
  readonly serverName: string;
  readonly checkServer: (certificate: PeerCertificate) => Error | undefined;
}

/** The outcome of a request if it were decided now. */
export interface ServingPlan {
  readonly decision: 'serve' | 'load' | 'none';
  readonly modelKey: string | null;
  readonly unloads: readonly string[];
  readonly loadBytes: number | null;
  readonly selection: {
    readonly decision: string;
    readonly rejected: readonly {
      readonly modelKey: string;
      readonly rejection: { readonly code: string };
    }[];
  };
}

/** The models of a machine, or of a fleet. */
export interface ServingCatalog {
  readonly models: readonly ServingModel[];
  readonly chains: Readonly<Record<string, readonly string[]>>;
  readonly aliases: readonly { readonly pattern: string; readonly target: string }[];
  readonly otherNames: Readonly<Record<string, string>>;
  /** Why a downloaded model is not offered, such as a damaged file: a sentence for people, by model key. */
  readonly leftOut: Readonly<Record<string, string>>;
  /** Why `models` may lack models of this machine, such as a missing folder: sentences for people. */
  readonly unreachableNote: string | null;
  readonly runtime: 'lmstudio' | 'embedded';
  readonly runtimeAnswers: boolean;
  readonly runtimeVersion: string | null;
  readonly decisionId: string | null;
  /** Names of the hosts that serve; null where only this machine serves. */
  readonly hosts: readonly string[] | null;
}

/** One model and its residents. */
export interface ServingModel {
  readonly modelKey: string;
  readonly displayName: string;
  readonly kind: 'llm' | 'embedding';
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  readonly contextLengthTokens: number | null;
  readonly maxContextLengthTokens: number | null;
  readonly sizeBytes: number | null;
  readonly downloaded: boolean;
  /** Names of the hosts that have the model; null where only this machine serves. */
  readonly hosts: readonly string[] | null;
  readonly residents: readonly {
    readonly instanceIdentifier: string;
    readonly contextLengthTokens: number | null;
    readonly foreign: boolean;
    /** Name of the host that has it; null where only this machine serves. */
    readonly host: string | null;
  }[];
}

/** A change that the gateway acts on. */
export type ServingChange =
  | { readonly type: 'catalog' }
  | { readonly type: 'draining'; readonly instanceIdentifier: string }
  | { readonly type: 'switched' }
  | { readonly type: 'loading'; readonly modelKey: string; readonly progressRatio: number }
  | { readonly type: 'loaded'; readonly modelKey: string; readonly tookMs: number }
  | { readonly type: 'load-failed'; readonly modelKey: string; readonly message: string };
