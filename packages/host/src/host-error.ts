import type { Selection } from '@mai/selector';

/** The kind of failure. Codes are API: they do not change within a major version. */
export type HostErrorCode =
  /** No model that meets the requirement can be loaded; `selection` gives the reason for each. */
  | 'NOTHING_FITS'
  /** LM Studio runs, and its HTTP server, which clients need, is off. */
  | 'SERVER_OFF'
  /** The call asks for something that does not exist or makes no sense; the message says what to change. */
  | 'INVALID_REQUEST'
  /** The autopilot that was asked has stopped, or its process has ended. */
  | 'AUTOPILOT_LOST'
  /** Another version of Mai runs the autopilot, and the two don't understand each other. */
  | 'AUTOPILOT_INCOMPATIBLE'
  /** The running autopilot refuses more: too many connections, or too many calls on one of them. */
  | 'AUTOPILOT_BUSY';

/** The figures and names behind an error; null where they do not apply. */
export interface HostErrorFacts {
  /** With `NOTHING_FITS`: the decision. */
  readonly selection: Selection | null;
  /** With `AUTOPILOT_LOST`, `AUTOPILOT_INCOMPATIBLE` and `AUTOPILOT_BUSY`: the process that ran the autopilot. */
  readonly processId: number | null;
}

const BRAND = Symbol.for('@mai/host/HostError');

/**
 * The one error class of this package. `message` says what failed, with which value, and the next thing to
 * do, in plain text. Errors of the packages behind it are passed on as they are. Cancellation is never
 * wrapped.
 */
export class HostError extends Error implements HostErrorFacts {
  override readonly name = 'HostError';
  readonly code: HostErrorCode;
  readonly selection: Selection | null;
  readonly processId: number | null;

  constructor(
    code: HostErrorCode,
    message: string,
    facts: Partial<HostErrorFacts> & { readonly cause?: unknown } = {},
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.selection = facts.selection ?? null;
    this.processId = facts.processId ?? null;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Whether a value is a `HostError`, of any copy of this package (ESM, CommonJS, another realm). */
export function isHostError(value: unknown): value is HostError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
