import type { CallName } from './wire.js';

/** The reason for a failed call. Only used inside the package. Callers get an `LMStudioError`. */
export type CallFaultKind =
  /** No answer within the deadline. */
  | 'timed-out'
  /** LM Studio does not know the call, or the SDK cannot read the answer. */
  | 'not-understood'
  /** The connection broke, or could not be made. */
  | 'connection'
  /** LM Studio refused the token or the client. */
  | 'unauthorized'
  /** LM Studio answered with an error; the message is its own. */
  | 'answered'
  /** The client was closed while the call was open. */
  | 'closed';

/** A failed call, before it becomes an `LMStudioError`. */
export class CallFault extends Error {
  override readonly name = 'CallFault';

  constructor(
    readonly kind: CallFaultKind,
    readonly call: CallName,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** Whether a value is a `CallFault`. Where `kinds` are given, the kind must be one of them. */
export function isCallFault(
  value: unknown,
  ...kinds: readonly CallFaultKind[]
): value is CallFault {
  return value instanceof CallFault && (kinds.length === 0 || kinds.includes(value.kind));
}
