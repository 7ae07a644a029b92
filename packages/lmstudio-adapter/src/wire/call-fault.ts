import type { Endpoint, Namespace } from './wire.js';

/** Why a call has no answer; never leaves the package. */
export type CallFaultKind =
  /** No answer within the deadline. */
  | 'timed-out'
  /** The two sides do not understand each other about this call. */
  | 'not-understood'
  /** The connection broke, or could not be made. */
  | 'connection'
  /** The token or the client was refused. */
  | 'unauthorized'
  /** LM Studio answered with an error; the message is its own. */
  | 'answered'
  /** The client was closed while the call was open. */
  | 'closed';

/** A failed call before it is put in the caller's terms. */
export class CallFault extends Error {
  override readonly name = 'CallFault';

  constructor(
    readonly kind: CallFaultKind,
    readonly call: `${Namespace}.${Endpoint}`,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

export function isCallFault(
  value: unknown,
  ...kinds: readonly CallFaultKind[]
): value is CallFault {
  return value instanceof CallFault && (kinds.length === 0 || kinds.includes(value.kind));
}
