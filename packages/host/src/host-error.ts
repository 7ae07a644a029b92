import type { Selection } from '@mai/selector';

/** The kind of failure. Codes are API: they do not change within a major version. */
export type HostErrorCode =
  /** No model that meets the requirement can be loaded; `selection` gives the reason for each model. */
  | 'NOTHING_FITS'
  /** A request names a model or a loaded instance that does not exist, or a model that is not downloaded. */
  | 'MODEL_NOT_FOUND'
  /** LM Studio runs, but its HTTP server is off. OpenAI clients need that server. */
  | 'SERVER_OFF'
  /**
   * The embedded engine keeps a model loaded only while the process runs that loaded it. This process would end, and no other
   * process of Mai runs that could keep the model.
   */
  | 'NOT_KEPT'
  /** A model refused a question, or its answer broke off. */
  | 'ANSWER_FAILED'
  /** The request names something that does not exist, or its values contradict each other; the message says how to change it. */
  | 'INVALID_REQUEST'
  /** The system refuses to write a file that the request names, for example because the disk is full. */
  | 'FILE_FAILED'
  /** The autopilot stopped before it answered, or its process has ended. */
  | 'AUTOPILOT_LOST'
  /** Another version of Mai runs the autopilot, with another version of the control protocol. */
  | 'AUTOPILOT_INCOMPATIBLE'
  /** The running autopilot has its maximum of connections, or of leases or open calls of this program. */
  | 'AUTOPILOT_BUSY';

/** The facts of an error; null where a fact does not apply. */
export interface HostErrorFacts {
  /** With `NOTHING_FITS`, and `MODEL_NOT_FOUND` for a model that is not downloaded: the decision. */
  readonly selection: Selection | null;
  /** The identifier of that decision in the log, which `mai explain` takes; null where it was not logged. */
  readonly decisionId: string | null;
  /**
   * With `NOTHING_FITS`: for each model that is not tried, because its last load failed, the message of that load. Empty
   * where no such message is known.
   */
  readonly loadFailures: Readonly<Record<string, string>>;
  /** With `AUTOPILOT_LOST`, `AUTOPILOT_INCOMPATIBLE` and `AUTOPILOT_BUSY`: the process that ran the autopilot. */
  readonly processId: number | null;
}

const BRAND = Symbol.for('@mai/host/HostError');

/**
 * The error class of this package. `message` is plain text: it says what failed, with which value, and
 * the next step. Errors of other packages reach the caller unchanged, and so does the reason of a
 * cancelled call.
 */
export class HostError extends Error implements HostErrorFacts {
  override readonly name = 'HostError';
  readonly code: HostErrorCode;
  readonly selection: Selection | null;
  readonly decisionId: string | null;
  readonly loadFailures: Readonly<Record<string, string>>;
  readonly processId: number | null;

  constructor(
    code: HostErrorCode,
    message: string,
    facts: Partial<HostErrorFacts> & { readonly cause?: unknown } = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.selection = facts.selection ?? null;
    this.decisionId = facts.decisionId ?? null;
    this.loadFailures = facts.loadFailures ?? {};
    this.processId = facts.processId ?? null;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Whether a value is a `HostError`, of any copy of this package (ESM, CommonJS, another realm). */
export function isHostError(value: unknown): value is HostError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
