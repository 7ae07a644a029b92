import type { Tier } from '@mai/memory-ledger';
import type { LeaseRequest } from '@mai/autopilot';
import type { ModelKind } from '@mai/lmstudio-adapter';
import type { Selection } from '@mai/selector';
import type { CallOptions, LeaseFacts } from '../control/autopilot-service.js';
import type { MeasuredAnswer } from '../learning/speed-learner.js';

/** The port through which a gateway serves. `ServingPort` of `@mai/gateway` has the same shape. */
export interface Serving {
  /**
   * The configured and downloaded models, and what is resident. Answered from the running autopilot's last
   * observation and from caches, so that LM Studio is not asked at each call.
   *
   * @throws ModelConfigError where no valid configuration was read yet
   */
  catalog(options?: CallOptions): Promise<ServingCatalog>;
  /**
   * A lease on a resident that meets the request. Loads a model first where no such model is resident.
   *
   * @throws HostError `NOTHING_FITS` with the selection, `MODEL_NOT_FOUND`, `SERVER_OFF`, `AUTOPILOT_LOST`,
   *   `INVALID_REQUEST`; LMStudioError `UNREACHABLE`
   */
  acquire(request: ServingRequest, options?: CallOptions): Promise<ServingLease>;
  /** The decision for a request if it were made now. Loads and unloads nothing. @throws as `acquire` */
  plan(request: ServingRequest, options?: CallOptions): Promise<ServingPlan>;
  /** Changes from now on, until the signal fires. */
  changes(options?: CallOptions): AsyncIterable<ServingChange>;
  /** Learns from the times of an answer that ran alone. Resolves when predictions rest on it. Never rejects. */
  measured(answer: MeasuredAnswer): Promise<void>;
}

/** The conditions for the model that serves. Null and empty fields set no condition. */
export type ServingRequest = Required<LeaseRequest>;

/** A promise that a resident stays. While it is held, the resident counts as busy and is not unloaded. */
export interface ServingLease extends LeaseFacts {
  /** Base URL of the HTTP server of the resident, without a path. */
  readonly baseUrl: string;
  /** The server's token as headers; empty without a token. */
  readonly requestHeaders: Readonly<Record<string, string>>;
  /** A host serves from this machine only. A fleet fills these fields for the gateway. */
  readonly peer: null;
  readonly forOneRequest: false;
  readonly ended: null;
  readonly placementId: null;
  /** Fires when the lease ends without a release. */
  readonly lost: AbortSignal;
  /** Releases the lease and unloads nothing. May be called more than once. Never rejects. */
  release(): Promise<void>;
}

/** The outcome of a request if it were decided now. */
export interface ServingPlan {
  /** `serve`: a resident meets the request. `load`: a model is loaded. `none`: nothing fits. */
  readonly decision: 'serve' | 'load' | 'none';
  /** Null with `none`. */
  readonly modelKey: string | null;
  /** Identifiers of the residents that the plan unloads. */
  readonly unloads: readonly string[];
  /** Size on disk of the model that is loaded; null where it is not known, or nothing is loaded. */
  readonly loadBytes: number | null;
  readonly selection: Selection;
}

/** The models of the machine. */
export interface ServingCatalog {
  readonly models: readonly ServingModel[];
  /** Model keys in order of preference, by the name of the fallback chain. Always has `default`. */
  readonly chains: Readonly<Record<string, readonly string[]>>;
  /** Aliases of the configuration, in order. */
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
  /** Whether it answers. */
  readonly runtimeAnswers: boolean;
  /** Version of LM Studio; null where it is not known, LM Studio is off, or the embedded engine is the runtime. */
  readonly runtimeVersion: string | null;
  /** Identifies the last decision; null where no decision was logged. */
  readonly decisionId: string | null;
  /** Null, because no fleet serves. */
  readonly hosts: null;
}

/** One model and its residents. */
export interface ServingModel {
  readonly modelKey: string;
  readonly displayName: string;
  readonly kind: ModelKind;
  readonly tier: Tier;
  readonly capabilities: readonly string[];
  /** Context length of a load. */
  readonly contextLengthTokens: number | null;
  readonly maxContextLengthTokens: number | null;
  /** Size on disk; null where it is not known. */
  readonly sizeBytes: number | null;
  readonly downloaded: boolean;
  readonly hosts: null;
  readonly residents: readonly ServingResident[];
}

/** One loaded copy. */
export interface ServingResident {
  readonly instanceIdentifier: string;
  readonly contextLengthTokens: number | null;
  /** Whether somebody other than Mai loaded it. */
  readonly foreign: boolean;
  readonly host: null;
}

/** A change of the models or of the residents. */
export type ServingChange =
  /** Models or residents may have changed. */
  | { readonly type: 'catalog' }
  /** The autopilot waits until this resident is idle, because it will unload it. */
  | { readonly type: 'draining'; readonly instanceIdentifier: string }
  /** Residents that were draining and are still there may serve again. */
  | { readonly type: 'switched' }
  | {
      readonly type: 'loading';
      readonly modelKey: string;
      /** 0 to 1. */
      readonly progressRatio: number;
    }
  | { readonly type: 'loaded'; readonly modelKey: string; readonly tookMs: number }
  | { readonly type: 'load-failed'; readonly modelKey: string; readonly message: string };
