import { countOf, textOf } from '../fields.js';
import type { Protocol } from '../protocol.js';
import { measurePrompt } from '../prompt-size.js';
import { chatCompletions } from './chat-completions.js';

/** `POST /v1/completions`: https://platform.openai.com/docs/api-reference/completions/create */
export const completions: Protocol = {
  ...chatCompletions,
  name: 'openai-completions',
  read: (body) => ({
    model: textOf(body, 'model'),
    stream: body['stream'] === true,
    capabilities: ['chat'],
    promptBytes: measurePrompt([body['prompt'], body['suffix']]).bytes,
    images: 0,
    maxOutputTokens: countOf(body, 'max_tokens'),
    previousResponseId: null,
  }),
};
