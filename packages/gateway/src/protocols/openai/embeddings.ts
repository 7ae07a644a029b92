import { textOf } from '../fields.js';
import type { Protocol } from '../protocol.js';
import { measurePrompt } from '../prompt-size.js';
import { chatCompletions } from './chat-completions.js';

/** `POST /v1/embeddings`: https://platform.openai.com/docs/api-reference/embeddings/create */
export const embeddings: Protocol = {
  ...chatCompletions,
  name: 'openai-embeddings',
  read: (body) => ({
    model: textOf(body, 'model'),
    stream: false,
    capabilities: ['embedding'],
    promptBytes: longest(body['input']),
    images: 0,
    maxOutputTokens: null,
    previousResponseId: null,
  }),
};

/** Each input has a context of its own, so the longest one counts. Numbers are tokens. */
function longest(input: unknown): number {
  if (!Array.isArray(input)) return measurePrompt([input]).bytes;
  // One list of tokens is one input.
  if (typeof input[0] === 'number') return measurePrompt([input]).bytes;
  let bytes = 0;
  // A loop, because a list of hundred thousand inputs is too long for the arguments of a call.
  for (const one of input) bytes = Math.max(bytes, measurePrompt([one]).bytes);
  return bytes;
}
