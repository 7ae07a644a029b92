import { engineEnded } from '../../wire/wire-error.js';

/** A request that LM Studio refuses, or a prediction that fails. Each protocol has its own form for these failures. */
export class RequestFailure extends Error {
  readonly status: number;
  readonly details: FailureDetails;

  constructor(status: number, message: string, details: FailureDetails = {}) {
    super(message);
    this.name = 'RequestFailure';
    this.status = status;
    this.details = details;
  }
}

/** The fields of LM Studio's structured errors besides the message. */
export interface FailureDetails {
  /** Left out: LM Studio's older form, in which the body's `error` is only the message. */
  readonly type?: string;
  readonly param?: string;
  readonly code?: string;
}

/** The body of the OpenAI-compatible endpoints and of REST v0. */
export function openAiErrorBody({ message, details }: RequestFailure): object {
  if (details.type === undefined) return { error: message };
  const { type, param = null, code = null } = details;
  return { error: { message, type, param, code } };
}

/** The engine has crashed. Captured: status 400 and the older form, lmstudio-bug-tracker #1050. */
export function predictionCrashed(exitCode: string): RequestFailure {
  return new RequestFailure(400, engineEnded(exitCode).message);
}

/** The instance was unloaded. Captured: status 400 and this body, in reports of auto-evict during an answer. */
export function predictionUnloaded(): RequestFailure {
  return new RequestFailure(400, 'Model unloaded.');
}

/**
 * Captured: status 400 with this text, in several reports of 2026. In one report of 0.4.20, the text lacks the
 * figures.
 */
export function promptTooLong(promptTokens: number, contextTokens: number): RequestFailure {
  return new RequestFailure(
    400,
    'The number of tokens to keep from the initial prompt is greater than the context length ' +
      `(n_keep: ${promptTokens} >= n_ctx: ${contextTokens}). Try to load the model with a larger context length, ` +
      'or provide a shorter input.',
  );
}

/** Captured: lmstudio-bug-tracker #908. */
export function imagesNotSupported(): RequestFailure {
  return new RequestFailure(400, 'Model does not support images. Please use a model that does.');
}

/** Captured: LM Studio refuses links to images. */
export function imageNotBase64(): RequestFailure {
  return new RequestFailure(400, "'url' field must be a base64 encoded image.");
}

/** The form is captured in lmstudio-bug-tracker #1576. */
export function invalidRequest(message: string, param: string, code?: string): RequestFailure {
  return new RequestFailure(400, message, {
    type: 'invalid_request_error',
    param,
    ...(code === undefined ? {} : { code }),
  });
}
