import type { RequestError } from '../../engine/request-error.js';
import type { JsonObject } from '../json.js';

/** Types of errors by status, from Anthropic's API reference. */
const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  404: 'not_found_error',
  413: 'request_too_large',
};

/** The error in Anthropic's form. */
export function anthropicError({ status, message }: RequestError): JsonObject {
  const type = TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  return { type: 'error', error: { type, message } };
}
