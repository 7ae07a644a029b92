import type { RequestError } from '../../engine/request-error.js';
import type { JsonObject } from '../json.js';
import { openAiError } from '../openai/openai-error.js';
import { withNames, type FieldNames } from '../renamed-fields.js';

const NAMES: FieldNames = [
  [/\bresponse_format(?:\.json_schema)?\b/g, 'text.format'],
  [/\bmax(?:_completion)?_tokens\b/g, 'max_output_tokens'],
  [/\breasoning_effort\b/g, 'reasoning.effort'],
  [/\btool_choice\.allowed_tools\b/g, 'tool_choice'],
  [/\b(tools\[\d+\])\.function\b/g, '$1'],
  // The items of the input are fewer or more than the messages of the chat.
  [/\bmessages(?:\[[^\s':]*)?(?=[':]|$)/g, 'input'],
];

/** The error in OpenAI's form, with the names of the fields of `/v1/responses`. */
export function responsesError(error: RequestError): JsonObject {
  return openAiError(withNames(error, NAMES));
}
