import type { PeerCertificate, SecureContext } from 'node:tls';
import type { Selection } from './selection.js';
import type { Tier } from '@mai/memory-ledger';

/** Options of a call that can be cancelled. A cancelled call rejects with the signal's reason. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Whose model serves a request. A host satisfies this port. */
export interface ServingPort {
  /** The configured and downloaded models, and what is resident. Cheap: the gateway reads it after each change. */
  catalog(options?: CallOptions): Promise<ServingCatalog>;
  /**
   * A lease on a resident that meets the request. Loads a model first where no such model is resident.
   *
   * @throws an error with `code` `NOTHING_FITS`, the `selection`, its `decisionId` in the log, and `loadFailures`: messages of failed
   *   loads by model key; or with `code` `NO_HOST_SERVES` of a fleet, `AUTOPILOT_LOST`, `SERVER_OFF`, `UNREACHABLE` or `MODEL_NOT_FOUND`
   */
  acquire(request: ServingRequest, options?: CallOptions): Promise<ServingLease>;
  /** The decision for a request if it were made now. Loads and unloads nothing. */
  plan(request: ServingRequest, options?: CallOptions): Promise<ServingPlan>;
  /** Changes from now on, until the signal fires. */
  changes(options?: CallOptions): AsyncIterable<ServingChange>;
  /**
   * Called with the times of each answer that ran alone on the machine. Returns at once and never throws. Default: the times are
   * not used.
   */
  measured?(answer: MeasuredAnswer): void;
}

/** The times of an answer. It holds neither prompt nor text. */
export interface MeasuredAnswer {
  readonly modelKey: string;
  readonly instanceIdentifier: string;
  /** The computed tokens of the prompt; null where the time of too few tokens was measured. */
  readonly prompt: { readonly tokens: number; readonly ms: number } | null;
  /** The generated tokens; null where too few were generated. */
  readonly output: { readonly tokens: number; readonly ms: number } | null;
  /** Tokens in the context before the first generated token. */
  readonly depthTokens: number;
}

/** Which model may serve. Null and empty fields set no condition. */
export interface ServingRequest {
  /** Capabilities that the model must have, such as `vision`. */
  readonly capabilities: readonly string[];
  readonly minContextLengthTokens: number | null;
  /**
   * The context length of a load for this request, where it costs nothing beside a load with `minContextLengthTokens`. A
   * resident that meets the request need not have it.
   */
  readonly preferredContextLengthTokens: number | null;
  readonly tiers: readonly Tier[] | null;
  /** Name of a fallback chain. Null: the default chain. */
  readonly chain: string | null;
  /** Only this model, which need not be in a chain. Foreign residents serve it, too. */
  readonly modelKey: string | null;
  /** Only this resident. */
  readonly instanceIdentifier: string | null;
  /** Residents that have just failed a request. They serve only after the runtime has been asked for its residents again. */
  readonly failed: readonly string[];
  /** Estimated tokens of the prompt; null where they are not known. */
  readonly promptTokens: number | null;
  /** Hash of the conversation's start, which is equal in all requests of a conversation; null where it is not known. */
  readonly prefixKey: string | null;
}

/** A request that every model of the default chain meets. */
export const ANY_MODEL: ServingRequest = {
  capabilities: [],
  minContextLengthTokens: null,
  preferredContextLengthTokens: null,
  tiers: null,
  chain: null,
  modelKey: null,
  instanceIdentifier: null,
  failed: [],
  promptTokens: null,
  prefixKey: null,
};

/** A promise that a resident stays. While it is held, the resident counts as busy and is not unloaded, except when memory runs out. */
export interface ServingLease {
  readonly modelKey: string;
  /** The name that the runtime takes as `model`. */
  readonly instanceIdentifier: string;
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  /** Null where the runtime does not report it. */
  readonly contextLengthTokens: number | null;
  /** Base URL of the runtime's HTTP server, without a path: `http://127.0.0.1:1234`. */
  readonly baseUrl: string;
  /** The runtime's token as headers; empty without a token. Never shown to a client. */
  readonly requestHeaders: Readonly<Record<string, string>>;
  /** Identifies the decision in force when the lease was given; null where no decision was logged. */
  readonly decisionId: string | null;
  /** The gateway of the other host that serves the resident; null where the runtime of this machine serves it. */
  readonly peer: ServingPeer | null;
  /**
   * Whether the lease is for one request. The next request then gets a lease of its own, which may be on another host.
   * If false, all requests that the resident serves share the lease.
   */
  readonly forOneRequest: boolean;
  /** Called with how the request on the lease ended, unless the client has left. Never throws. Null: nobody wants to know. */
  readonly ended: ((outcome: PeerOutcome) => void) | null;
  /** Identifies the choice among the hosts of a fleet; null where there was none. */
  readonly placementId: string | null;
  /** Fires when the lease ends without a release. Requests that run on another host are then ended. */
  readonly lost: AbortSignal;
  /** Releases the lease and unloads nothing. May be called more than once. Never rejects. */
  release(): Promise<void>;
}

/** The gateway of another host. */
export interface ServingPeer {
  /** Name of the host. */
  readonly host: string;
  /** The name that the host's gateway takes as `model`. */
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

/** How this machine and another host know each other. */
export interface PeerTls {
  /** The certificate and key of this machine, and the authorities that it trusts. An object of OpenSSL, so that no key is printed. */
  readonly secureContext: SecureContext;
  /** Name of the other host, which TLS asks for. */
  readonly serverName: string;
  /** The reason to refuse the certificate that the other host shows; undefined where it is the host's. */
  readonly checkServer: (certificate: PeerCertificate) => Error | undefined;
}

/** The outcome of a request if it were decided now. */
export interface ServingPlan {
  /** `serve`: a resident meets the request. `load`: a model is loaded. `none`: nothing fits. */
  readonly decision: 'serve' | 'load' | 'none';
  /** Null with `none`. */
  readonly modelKey: string | null;
  /** Identifiers of the residents that the plan unloads. */
  readonly unloads: readonly string[];
  /** Size of the model on disk; null where it is not known, or nothing is loaded. */
  readonly loadBytes: number | null;
  /** The reasons of the decision. */
  readonly selection: Selection;
}

/** The models of the machine. */
export interface ServingCatalog {
  readonly models: readonly ServingModel[];
  /** Model keys in order of preference, by the name of the fallback chain. Always has `default`. */
  readonly chains: Readonly<Record<string, readonly string[]>>;
  /** Aliases of the configuration in order: a pattern with `*`, and the name that it stands for. */
  readonly aliases: readonly { readonly pattern: string; readonly target: string }[];
  /**
   * Names that are not the key of a model in `models` and mean a model nevertheless, such as `key@q8_0`, each with the key
   * by which it is loaded.
   */
  readonly otherNames: Readonly<Record<string, string>>;
  /** Why a downloaded model is not offered, such as a damaged file: a sentence for people, by model key. */
  readonly leftOut: Readonly<Record<string, string>>;
  /**
   * Why `models` may lack models of this machine, such as a folder on a drive that is not mounted: sentences for people, without
   * the path of the folder. Null where every folder could be read.
   */
  readonly unreachableNote: string | null;
  /** The runtime that loads the models of this machine. */
  readonly runtime: 'lmstudio' | 'embedded';
  /** Whether it answers. While LM Studio does not, `models` may lack those that only LM Studio lists. */
  readonly runtimeAnswers: boolean;
  /** Version of LM Studio, such as `0.4.21`; null where it is not known, LM Studio is off, or another runtime serves. */
  readonly runtimeVersion: string | null;
  /** Identifies the decision in force; null where no decision was logged. */
  readonly decisionId: string | null;
  /** Names of the hosts that serve. Requests then carry the size and the start of their prompt. Null where no fleet serves. */
  readonly hosts: readonly string[] | null;
}

/** One model and its residents. */
export interface ServingModel {
  readonly modelKey: string;
  readonly displayName: string;
  readonly kind: 'llm' | 'embedding';
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  /** Context length of a load; null where it is not known. */
  readonly contextLengthTokens: number | null;
  /** The longest context that the model allows; null where it is not known. */
  readonly maxContextLengthTokens: number | null;
  /** Size on disk; null where it is not known. */
  readonly sizeBytes: number | null;
  readonly downloaded: boolean;
  /** Names of the hosts that have the model; null where no fleet serves. */
  readonly hosts: readonly string[] | null;
  readonly residents: readonly ServingResident[];
}

/** One loaded copy. */
export interface ServingResident {
  readonly instanceIdentifier: string;
  readonly contextLengthTokens: number | null;
  /** Whether somebody other than Mai loaded it. */
  readonly foreign: boolean;
  /** Name of the host that has it; null where no fleet serves. */
  readonly host: string | null;
}

/** A change that the gateway acts on. */
export type ServingChange =
  /** Models or residents may have changed. */
  | { readonly type: 'catalog' }
  /** The autopilot waits until this resident is idle, because it will unload it. */
  | { readonly type: 'draining'; readonly instanceIdentifier: string }
  /** A switch has ended, whether it succeeded or not: residents that were draining and are still there may serve again. */
  | { readonly type: 'switched' }
  | {
      readonly type: 'loading';
      readonly modelKey: string;
      /** 0 to 1. */ readonly progressRatio: number;
    }
  | { readonly type: 'loaded'; readonly modelKey: string; readonly tookMs: number }
  | { readonly type: 'load-failed'; readonly modelKey: string; readonly message: string };
