import { chatFacts, countOf, lastUsage, offersTools } from '../fields.js';
import type { Protocol } from '../protocol.js';
import { openAiFailure, openAiStreamFailure, waitComment } from './failures.js';

/** The end of a stream, or an error event. JSON has no raw line breaks, so no text of a model holds these marks. */
const CHAT_END_MARKS = ['\ndata: [DONE]', '\nevent: error', '\ndata: {"error"'];

/** `POST /v1/chat/completions`: https://platform.openai.com/docs/api-reference/chat/create */
export const chatCompletions: Protocol = {
  name: 'openai-chat',
  read: (body) => {
    const { messages, tools, functions, response_format: format } = body;
    // `reasoning_effort` and `response_format` are no demands: every model takes them, and some ignore the first.
    return chatFacts(body, {
      prompt: [messages, tools, functions, format],
      tools: offersTools(body),
      maxOutputTokens: countOf(body, 'max_completion_tokens', 'max_tokens'),
    });
  },
  failure: openAiFailure,
  streamFailure: openAiStreamFailure,
  waiting: waitComment,
  endMarks: CHAT_END_MARKS,
  tailBytes: 4096,
  responseIdIn: () => null,
  // A stream has its usage where the client asks for it.
  usageIn: (_head, tail) => lastUsage(tail, 'prompt_tokens', 'completion_tokens'),
};

/** LM Studio's REST v0 speaks the same: https://lmstudio.ai/docs/api/rest-api */
export const lmStudioChat: Protocol = { ...chatCompletions, name: 'lmstudio-chat' };
