import { chatCapabilities, countOf, lastNumber, offersTools, textOf } from '../fields.js';
import type { Protocol, Usage } from '../protocol.js';
import { measurePrompt } from '../prompt-size.js';
import { runtimeFailureIn } from '../runtime-failure.js';
import { openAiFailure, openAiStreamFailure, waitComment } from './failures.js';

/** The end of a stream, or an error event. JSON has no raw line breaks, so no text of a model holds these marks. */
export const CHAT_END_MARKS = ['\ndata: [DONE]', '\nevent: error', '\ndata: {"error"'];

/** `POST /v1/chat/completions`: https://platform.openai.com/docs/api-reference/chat/create */
export const chatCompletions: Protocol = {
  name: 'openai-chat',
  read: (body) => {
    const { messages, tools, functions, response_format: format } = body;
    const { bytes, images } = measurePrompt([messages, tools, functions, format]);
    return {
      model: textOf(body, 'model'),
      stream: body['stream'] === true,
      // `reasoning_effort` and `response_format` are no demands: every model takes them, and some ignore the first.
      capabilities: chatCapabilities(images, offersTools(body)),
      promptBytes: bytes,
      images,
      maxOutputTokens: countOf(body, 'max_completion_tokens', 'max_tokens'),
      previousResponseId: null,
    };
  },
  failure: openAiFailure,
  streamFailure: openAiStreamFailure,
  waiting: waitComment,
  failureIn: runtimeFailureIn,
  endMarks: CHAT_END_MARKS,
  tailBytes: 4096,
  responseIdIn: () => null,
  usageIn: (_head, tail) => chatUsage(tail),
};

/** LM Studio's REST v0 speaks the same: https://lmstudio.ai/docs/api/rest-api */
export const lmStudioChat: Protocol = { ...chatCompletions, name: 'lmstudio-chat' };

/** The usage at the end of an answer or a stream. A stream has it where the client asks for it. */
export function chatUsage(tail: string): Usage | null {
  const at = tail.lastIndexOf('"usage"');
  if (at === -1) return null;
  const usage = tail.slice(at);
  const promptTokens = lastNumber(usage, 'prompt_tokens');
  const outputTokens = lastNumber(usage, 'completion_tokens');
  return promptTokens === null && outputTokens === null ? null : { promptTokens, outputTokens };
}
