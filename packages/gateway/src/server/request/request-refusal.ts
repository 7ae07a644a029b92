import type { Failure, FailureCode } from '../../protocols/protocol.js';
import { createFailure } from '../../protocols/create-failure.js';

/** A request that the gateway answers with a failure before it reaches a model. */
export class RequestRefusal extends Error {
  override readonly name = 'RequestRefusal';
  readonly failure: Failure;

  constructor(
    code: FailureCode,
    status: number,
    message: string,
    options: ErrorOptions & { readonly retryAfterSeconds?: number } = {},
  ) {
    super(message, options);
    const { retryAfterSeconds = null } = options;
    this.failure = { ...createFailure(code, status, message), retryAfterSeconds };
  }
}

/** The failure that a client gets after a bug of the gateway. */
export const INTERNAL_FAILURE: Failure = createFailure(
  'internal',
  500,
  'The gateway failed. This is a bug of Mai; its log has the details.',
);
