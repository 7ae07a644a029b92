import { chatFacts, countOf, lastUsage, offersTools, textOf } from '../fields.js';
import { openAiError, openAiFailure, waitComment } from '../openai/failures.js';
import type { Failure, Protocol } from '../protocol.js';

/** `POST /v1/responses`: https://platform.openai.com/docs/api-reference/responses/create */
export const responses: Protocol = {
  name: 'openai-responses',
  read: (body) => {
    const { input, instructions, tools, text } = body;
    return chatFacts(body, {
      prompt: [input, instructions, tools, text],
      tools: offersTools(body),
      maxOutputTokens: countOf(body, 'max_output_tokens'),
      previousResponseId: textOf(body, 'previous_response_id'),
    });
  },
  failure: openAiFailure,
  streamFailure: (failure) => errorEvent(failure),
  waiting: waitComment,
  // https://platform.openai.com/docs/api-reference/responses-streaming
  endMarks: [
    '\nevent: response.completed',
    '\nevent: response.incomplete',
    '\nevent: response.failed',
    '\nevent: error',
    '\ndata: [DONE]',
  ],
  // The last event repeats the whole answer.
  tailBytes: 1_048_576,
  responseIdIn: (head) => /"id"\s*:\s*"(resp_[\w-]{1,200})"/.exec(head())?.[1] ?? null,
  usageIn: (_head, tail) => lastUsage(tail, 'input_tokens', 'output_tokens'),
};

/**
 * The documented event `error`, with the number 0 as nothing is known of the numbers before. OpenAI's clients throw
 * where the data has `error`, so it is there, too.
 */
function errorEvent(failure: Failure): string {
  const { code, message } = failure;
  const event = { type: 'error', code, message, param: null, sequence_number: 0 };
  return `event: error\ndata: ${JSON.stringify({ ...event, ...openAiError(failure) })}\n\n`;
}
