import type { Failure, FailureCode } from '../protocols/protocol.js';

/** A request that the gateway answers with a failure before it reaches a model. */
export class RequestRefusal extends Error {
  override readonly name = 'RequestRefusal';
  readonly failure: Failure;

  constructor(code: FailureCode, status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = { code, status, message, retryAfterSeconds: null };
  }
}

/** The failure that a client is told after a bug of the gateway. */
export const INTERNAL_FAILURE: Failure = {
  code: 'internal',
  status: 500,
  message: 'The gateway failed. This is a bug of Mai; its log has the details.',
  retryAfterSeconds: null,
};
