import type { Failure, FailureCode } from './protocol.js';

/** A failure without a time after which the client should try again. */
export function createFailure(code: FailureCode, status: number, message: string): Failure {
  return { code, status, message, retryAfterSeconds: null };
}
