import type { RequestError } from '../../engine/request-error.js';
import type { JsonObject } from '../json.js';
import { withNames, type FieldNames } from '../renamed-fields.js';

const NAMES: FieldNames = [
  [/\bresponse_format(?:\.json_schema)?\b/g, 'output_config.format'],
  [/(?<=')stop(?=')/g, 'stop_sequences'],
  [/\b(tools\[\d+\])\.function\.parameters\b/g, '$1.input_schema'],
  [/\b(tools\[\d+\])\.function\b/g, '$1'],
  // The translation adds messages for the system and for results of tools, so their numbers are others.
  [/\bmessages\[[^\s':]*\.(?:image_url|tool_calls)\b[^\s':]*/g, 'messages'],
];

/** Types of errors by status, from Anthropic's API reference. */
const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  404: 'not_found_error',
  413: 'request_too_large',
};

/** The error in Anthropic's form, with the names of Anthropic's fields. */
export function anthropicError(error: RequestError): JsonObject {
  const { status, message } = withNames(error, NAMES);
  const type = TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  return { type: 'error', error: { type, message } };
}
