import { chatFacts, countOf, lastNumber, usageOf } from '../fields.js';
import { jsonAnswer } from '../openai/failures.js';
import type { Failure, Protocol } from '../protocol.js';
import { measurePrompt, type PromptSize } from '../prompt-size.js';
import { sizesIn } from '../runtime-failure.js';
import { isJsonObject, type JsonObject } from '../../json.js';

/** `POST /v1/messages`: https://docs.claude.com/en/api/messages */
export const messages: Protocol = {
  name: 'anthropic-messages',
  read: (body) =>
    // `thinking` sets no condition, because Claude Code sends it to every model.
    chatFacts(body, {
      prompt: promptOf(body),
      tools: offersTools(body),
      maxOutputTokens: countOf(body, 'max_tokens'),
    }),
  failure: (failure) => jsonAnswer(failure, anthropicError(failure)),
  streamFailure: (failure) => `event: error\ndata: ${JSON.stringify(anthropicError(failure))}\n\n`,
  // The documented event that a client ignores at any place of a stream.
  waiting: () => 'event: ping\ndata: {"type": "ping"}\n\n',
  endMarks: ['\nevent: message_stop', '\nevent: error'],
  tailBytes: 4096,
  responseIdIn: () => null,
  usageIn: (head, tail) => usageOf(promptTokensIn(head, tail), lastNumber(tail, 'output_tokens')),
};

/**
 * The tokens of the whole prompt. `input_tokens` are those that are not in the cache, and the others are counted apart. In a stream,
 * `message_start` has these counts, and `message_delta` may have newer ones.
 */
function promptTokensIn(head: () => string, tail: string): number | null {
  const newest = (key: string): number | null => lastNumber(tail, key) ?? lastNumber(head(), key);
  const uncached = newest('input_tokens');
  if (uncached === null) return null;
  const read = newest('cache_read_input_tokens') ?? 0;
  return uncached + read + (newest('cache_creation_input_tokens') ?? 0);
}

/** The size of the prompt of a request for a message, also for `POST /v1/messages/count_tokens`. */
export function measureMessages(body: JsonObject): PromptSize {
  return measurePrompt(promptOf(body));
}

function promptOf({ system, messages: turns, tools }: JsonObject): readonly unknown[] {
  return [system, turns, tools];
}

function offersTools({ tools, tool_choice: choice }: JsonObject): boolean {
  const isForbidden = isJsonObject(choice) && choice['type'] === 'none';
  return Array.isArray(tools) && tools.length > 0 && !isForbidden;
}

/** https://docs.claude.com/en/api/errors */
function anthropicError({ code, status, message }: Failure): object {
  const text = code === 'context_length_exceeded' ? promptTooLong(message) : message;
  return { type: 'error', error: { type: typeOf(status), message: text } };
}

/** Anthropic has no code for this error. Claude Code knows it by these words, and shortens the conversation. */
function promptTooLong(message: string): string {
  const { promptTokens, contextTokens } = sizesIn(message);
  const sizes =
    promptTokens === null || contextTokens === null
      ? ''
      : `${promptTokens} tokens > ${contextTokens} maximum. `;
  return `prompt is too long: ${sizes}${message}`;
}

function typeOf(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error';
    case 403:
      return 'permission_error';
    case 404:
      return 'not_found_error';
    case 413:
      return 'request_too_large';
    case 429:
      return 'rate_limit_error';
    case 503:
      return 'overloaded_error';
    case 504:
      return 'timeout_error';
    default:
      return status >= 500 ? 'api_error' : 'invalid_request_error';
  }
}
