import type { LoadConfig } from '@mai/memory-ledger';
import type {
  AutopilotEvent,
  AutopilotState,
  JournalState,
  Lease,
  LeasePlan,
  LeaseRequest,
  Yield,
} from '@mai/autopilot';
import type { LoadMismatch, ModelKind, ResidentInstance } from '@mai/lmstudio-adapter';

/** Options of a call that can be cancelled. A cancelled call rejects with the signal's reason. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Changes of the journal. All throw AutopilotError `JOURNAL_UNUSABLE`. */
export interface JournalCalls {
  /** Pins a model key or an instance identifier. */
  pin(target: string, options?: CallOptions): Promise<JournalAnswer>;
  /** Removes the pins with these targets. */
  unpin(targets: readonly string[], options?: CallOptions): Promise<JournalAnswer>;
  /** Keeps memory free for others. Replaces the yield of the same name. */
  yieldMemory(request: Yield, options?: CallOptions): Promise<JournalAnswer>;
  /** Ends the yields with these names. */
  endYield(names: readonly string[], options?: CallOptions): Promise<JournalAnswer>;
}

/** Loads and unloads by hand. */
export interface HandCalls {
  /**
   * Loads the first candidate that loads, and pins it until it is unloaded by hand.
   *
   * @throws LMStudioError
   */
  load(request: HandLoad, options?: HandLoadOptions): Promise<HandLoaded>;
  /**
   * Unloads instances, and removes the pins that `load` has set for them.
   *
   * @throws LMStudioError `INSTANCE_NOT_FOUND`; without `force`, `LOAD_REFUSED` where an instance is generating
   *   or leased.
   */
  unload(request: HandUnload, options?: CallOptions): Promise<HandUnloaded>;
}

/**
 * The autopilot of one runtime, as a service for every process of this user. The process that runs the autopilot
 * calls it directly; other processes reach it over the control socket.
 *
 * Every method also throws `HostError` `AUTOPILOT_LOST` when the autopilot stops, or its process ends, before the
 * answer.
 */
export interface AutopilotService extends JournalCalls, HandCalls {
  /** The process that runs the autopilot. */
  readonly processId: number;
  /**
   * A lease on a resident model that meets the request. Loads a model first where no such model is
   * resident.
   *
   * @throws HostError `NOTHING_FITS` with the selection, which has the reason for each model;
   *   `MODEL_NOT_FOUND`; `INVALID_REQUEST` where the chain does not exist
   */
  acquire(request: LeaseRequest, options?: CallOptions): Promise<ServiceLease>;
  /** The decision for a request if it were made now. Loads and unloads nothing. @throws as `acquire` */
  plan(request: LeaseRequest, options?: CallOptions): Promise<LeasePlan>;
  /** The present state. */
  state(options?: CallOptions): Promise<AutopilotState>;
  /**
   * The events from the start of the iteration until the autopilot stops. A slow reader loses the oldest
   * events.
   */
  events(options?: CallOptions): AsyncIterable<AutopilotEvent>;
}

/** The facts about a leased resident. */
export type LeaseFacts = Pick<
  Lease,
  'modelKey' | 'instanceIdentifier' | 'tier' | 'capabilities' | 'contextLengthTokens' | 'decisionId'
>;

/** The facts of a lease, without its methods. */
export function leaseFactsOf({
  modelKey,
  instanceIdentifier,
  tier,
  capabilities,
  contextLengthTokens,
  decisionId,
}: LeaseFacts): LeaseFacts {
  return { modelKey, instanceIdentifier, tier, capabilities, contextLengthTokens, decisionId };
}

/** A promise that a resident model stays. While it is held, the model counts as busy and is not unloaded. */
export interface ServiceLease extends LeaseFacts {
  /** Fires when the lease ends without a release: the autopilot stopped, or its process ended. */
  readonly lost: AbortSignal;
  /** Releases the lease and unloads nothing. May be called more than once. Never throws. */
  release(): Promise<void>;
}

/** Whether the running autopilot has read a change of the journal. */
export type Delivery =
  /** The autopilot acts on the change from now on. */
  | { readonly kind: 'seen'; readonly processId: number }
  /** The autopilot has not read the change within two seconds. It is switching, or LM Studio is off. */
  | { readonly kind: 'waiting'; readonly processId: number }
  /** No autopilot runs. The next autopilot reads the change when it starts. */
  | { readonly kind: 'nobody' };

/** The journal after a change. */
export interface JournalAnswer {
  readonly journal: JournalState;
  /** Null where the journal did not change. */
  readonly delivery: Delivery | null;
}

/** One candidate of a load by hand. */
export interface HandLoadCandidate {
  readonly modelKey: string;
  /** Null where the caller does not know the kind; then the adapter asks LM Studio. */
  readonly kind: ModelKind | null;
  readonly loadConfig: LoadConfig;
}

/** A load that a person asked for. */
export interface HandLoad {
  /** In order of preference. */
  readonly candidates: readonly HandLoadCandidate[];
  /** Instance identifier; null: Mai's own identifier for the model key. */
  readonly identifier: string | null;
  /** Idle milliseconds after which LM Studio unloads the instance; null: never. */
  readonly ttlMs: number | null;
  /** Deadline in milliseconds; null: LM Studio's default. */
  readonly timeoutMs: number | null;
}

/** Options of a load by hand. */
export interface HandLoadOptions extends CallOptions {
  /** Called with the index of the candidate and its progress from 0 to 1. */
  readonly onProgress?: ((index: number, ratio: number) => void) | undefined;
}

/** The result of a load by hand. */
export interface HandLoaded extends PinChange {
  readonly instance: ResidentInstance;
  /** Index of the candidate that was loaded. */
  readonly index: number;
  /** The settings of the instance that differ from the request. */
  readonly verified: readonly LoadMismatch[];
  /**
   * Whether a matching instance was already loaded, so that this call loaded nothing.
   */
  readonly reused: boolean;
  /** Why each earlier candidate could not be loaded, in order. */
  readonly failures: readonly { readonly modelKey: string; readonly error: unknown }[];
}

/** A request to unload instances by hand. */
export interface HandUnload {
  readonly instanceIdentifiers: readonly string[];
  /** Whether to unload also instances that are generating or leased. */
  readonly force: boolean;
}

/** The result of an unload by hand. */
export interface HandUnloaded extends PinChange {
  readonly unloaded: readonly ResidentInstance[];
}

/** The change of the pins after a load or unload by hand. */
export interface PinChange {
  /** Null where the pins did not change, or the journal could not be written. */
  readonly delivery: Delivery | null;
  /**
   * Why the journal could not be written; null where it was written. In both cases the load or unload has been
   * carried out.
   */
  readonly pinError: unknown;
}
