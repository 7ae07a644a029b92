import type { RequestError } from '../../engine/request-error.js';
import type { JsonObject } from '../json.js';

/** The error in OpenAI's form. */
export function openAiError({ status, message, code, param }: RequestError): JsonObject {
  const type = status >= 500 ? 'server_error' : 'invalid_request_error';
  return { error: { message, type, param, code } };
}
