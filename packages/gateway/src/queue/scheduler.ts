import type { ServingLease, ServingRequest } from '../ports/serving-port.js';
import type { Failure, QueueProgress } from '../protocols/protocol.js';

/** Gives each request a resident that meets it: at once where one serves, else in turn after a load. */
export interface Scheduler extends AsyncDisposable {
  /** A place at once, where an open resident serves the request; otherwise null. Most requests need no more. */
  tryPlace(request: LaneRequest): Place | null;
  /**
   * Waits for a place on a resident that meets the request.
   *
   * @throws SchedulingFailure, or the signal's reason
   */
  place(request: PlaceRequest): Promise<Place>;
  /** The residents in use and the waiting requests. */
  state(): SchedulerState;
  /** Refuses new requests. Resolves when no request waits and every place is released. */
  drain(): Promise<void>;
}

/** Estimated tokens of a request's prompt for a model; 0 where the prompt takes no room in a context. */
export type PromptTokens = (modelKey: string) => number;

/** What decides whether a request runs on a lane now. */
export interface LaneRequest {
  readonly wanted: ServingRequest;
  readonly promptTokens: PromptTokens;
  /** Who asks. Waiting clients take turns. */
  readonly client: string;
}

/** A request for a place. */
export interface PlaceRequest extends LaneRequest {
  /** Higher is served first among waiting requests; 0 is usual. */
  readonly priority: number;
  /** The client's deadline for a place, in milliseconds from now. */
  readonly deadlineMs: number;
  /** Whether the request has failed on another resident before, and so goes to the front of its client's requests. */
  readonly again: boolean;
  readonly signal: AbortSignal;
  /** Called while the request waits, at each change of position or progress and at least every 10 seconds. */
  readonly onWait: (progress: QueueProgress) => void;
}

/** A place on a resident. It must be released. */
export interface Place {
  readonly lease: ServingLease;
  /** How long the request waited. */
  readonly waitedMs: number;
  /** `failed`: the resident did not serve, and gets no further request before it has been looked at again. */
  release(outcome: 'done' | 'failed'): void;
}

/** Why a request gets no place. */
export class SchedulingFailure extends Error {
  override readonly name = 'SchedulingFailure';
  /** The logged decision by which the request gets no place; null where no decision was made for it. */
  readonly decisionId: string | null;

  constructor(
    readonly failure: Failure,
    { decisionId = null, ...options }: ErrorOptions & { readonly decisionId?: string | null } = {},
  ) {
    super(failure.message, options);
    this.decisionId = decisionId;
  }
}

/** The state of a scheduler. */
export interface SchedulerState {
  readonly lanes: readonly {
    readonly modelKey: string;
    readonly instanceIdentifier: string;
    readonly running: number;
    /** Whether it takes no new requests, because it will be unloaded. */
    readonly draining: boolean;
  }[];
  readonly waiting: number;
  /** How long the oldest request has waited; 0 where none waits. */
  readonly oldestWaitMs: number;
  readonly loading: { readonly modelKey: string; readonly progressRatio: number } | null;
}
