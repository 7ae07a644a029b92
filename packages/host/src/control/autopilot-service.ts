import type { LoadConfig } from '@mai/memory-ledger';
import type { AutopilotEvent, AutopilotState, JournalState, Yield } from '@mai/autopilot';
import type { LoadMismatch, ModelKind, ResidentInstance } from '@mai/lmstudio-adapter';
import type { Requirement } from '@mai/selector';

/** Options of a call that can be cancelled. A cancelled call rejects with the signal's reason. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * The autopilot of one runtime, as every process on this machine may use it. The process that runs the autopilot
 * implements it; other processes reach it over the control socket.
 *
 * Besides the errors named at each method, every method throws `HostError` `AUTOPILOT_LOST` when the autopilot
 * stops, or its process ends, before the answer.
 */
export interface AutopilotService {
  /** The process that runs the autopilot. */
  readonly processId: number;
  /**
   * A lease on a resident model that meets the requirement. Loads a model first where none is
   * resident.
   *
   * @throws HostError `NOTHING_FITS` with the selection, which says why.
   */
  acquire(requirement: Requirement, options?: CallOptions): Promise<ServiceLease>;
  /** Pins a model key or an instance identifier. @throws AutopilotError `JOURNAL_UNUSABLE` */
  pin(target: string, options?: CallOptions): Promise<JournalAnswer>;
  /** Removes the pins with these targets. @throws AutopilotError `JOURNAL_UNUSABLE` */
  unpin(targets: readonly string[], options?: CallOptions): Promise<JournalAnswer>;
  /** Keeps memory free for others. Replaces the yield of the same name. @throws AutopilotError `JOURNAL_UNUSABLE` */
  yieldMemory(request: Yield, options?: CallOptions): Promise<JournalAnswer>;
  /** Ends the yields with these names. @throws AutopilotError `JOURNAL_UNUSABLE` */
  endYield(names: readonly string[], options?: CallOptions): Promise<JournalAnswer>;
  /**
   * Loads the first candidate that loads, and pins it until it is unloaded by hand.
   *
   * @throws LMStudioError
   */
  load(request: HandLoad, options?: HandLoadOptions): Promise<HandLoaded>;
  /**
   * Unloads instances and removes the pins that loading them by hand has set.
   *
   * @throws LMStudioError `INSTANCE_NOT_FOUND`; `LOAD_REFUSED` where one is generating or leased, unless forced.
   */
  unload(request: HandUnload, options?: CallOptions): Promise<HandUnloaded>;
  /** The state at this moment. */
  state(options?: CallOptions): Promise<AutopilotState>;
  /**
   * All events from the start of the iteration until the autopilot stops. A slow reader loses the
   * oldest events.
   */
  events(options?: CallOptions): AsyncIterable<AutopilotEvent>;
}

/** A promise that a resident model stays. While it is held, the model counts as busy and is not unloaded. */
export interface ServiceLease {
  readonly modelKey: string;
  readonly instanceIdentifier: string;
  /** Fires when the promise ends before its release: the autopilot stopped, or its process ended. */
  readonly lost: AbortSignal;
  /** Releases the lease; unloads nothing. May be called more than once, and does not throw. */
  release(): Promise<void>;
}

/** Whether the running autopilot has read a change of the journal. */
export type Delivery =
  /** The autopilot acts on the change from now on. */
  | { readonly kind: 'seen'; readonly processId: number }
  /** The autopilot has not read the change in time: it is switching, or LM Studio is off. */
  | { readonly kind: 'waiting'; readonly processId: number }
  /** No autopilot runs; the next one reads the change when it starts. */
  | { readonly kind: 'nobody' };

/** The journal after a change. */
export interface JournalAnswer {
  readonly journal: JournalState;
  /** Null where the change made no difference. */
  readonly delivery: Delivery | null;
}

/** One candidate of a load by hand. */
export interface HandLoadCandidate {
  readonly modelKey: string;
  /** Null where the caller does not know it; then LM Studio is asked. */
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
  /** Settings in which the instance differs from the request. */
  readonly verified: readonly LoadMismatch[];
  /**
   * Whether an instance that matches the request was loaded already, so that nothing was loaded
   * now.
   */
  readonly reused: boolean;
  /** Why each earlier candidate could not be loaded, in order. */
  readonly failures: readonly { readonly modelKey: string; readonly error: unknown }[];
}

/** A request to unload instances by hand. */
export interface HandUnload {
  readonly instanceIdentifiers: readonly string[];
  /** Whether to unload instances that are generating or leased, too. */
  readonly force: boolean;
}

/** The result of an unload by hand. */
export interface HandUnloaded extends PinChange {
  readonly unloaded: readonly ResidentInstance[];
}

/** Whether the pin of a load or unload by hand could be written. */
export interface PinChange {
  /** Null where no pin had to change, or the journal could not be written. */
  readonly delivery: Delivery | null;
  /** Why the journal could not be written, or null. The load or unload itself is not undone. */
  readonly pinError: unknown;
}
