import * as z from 'zod/mini';
import type { Backend } from '../../runtime/backend.js';
import type { Exchange } from '../exchange.js';
import { generate, WITHOUT_STREAM } from '../generation/generate.js';
import type { AnswerWriter } from '../generation/generate.js';
import { newIdentifier } from '../generation/identifiers.js';
import {
  checkBody,
  modelFields,
  readLimit,
  readStop,
  stopSchema,
} from '../generation/read-parts.js';
import { finishReason, restV0Fields, usageOf } from './chat-answer.js';
import { sendFailure, sendStreamFailure } from './failures.js';

const completionSchema = z.object({
  ...modelFields,
  prompt: z.union([z.string(), z.array(z.string())]),
  max_tokens: z.optional(z.nullable(z.number())),
  stop: stopSchema,
  stream_options: z.optional(
    z.nullable(z.object({ include_usage: z.optional(z.nullable(z.boolean())) })),
  ),
});

/** `POST /v1/completions` and `POST /api/v0/completions`. From documentation. Several prompts are joined to one. */
export async function completions(backend: Backend, exchange: Exchange): Promise<void> {
  const request = checkBody(completionSchema, exchange.body);
  const id = newIdentifier('cmpl-');
  const created = Math.floor(backend.runtime.clock.now() / 1000);
  let model = '';
  const body = (choices: readonly object[], rest: object = {}): object => ({
    id,
    object: 'text_completion',
    created,
    model,
    choices,
    ...rest,
  });
  const choice = (text: string, reason: string | null): object => ({
    index: 0,
    text,
    logprobs: null,
    finish_reason: reason,
  });
  const writer: AnswerWriter =
    request.stream === true
      ? {
          started({ resident }) {
            model = resident.identifier;
            exchange.startStream();
          },
          prompted: () => {},
          content: (_part, content) => exchange.sendEvent(body([choice(content, null)])),
          finished(answer) {
            exchange.sendEvent(body([choice('', finishReason(answer))]));
            if (request.stream_options?.include_usage === true) {
              exchange.sendEvent(body([], { usage: usageOf(answer) }));
            }
            exchange.sendEvent('[DONE]');
            exchange.endStream();
          },
          failed: (failure) => sendStreamFailure(exchange, failure),
        }
      : {
          ...WITHOUT_STREAM,
          started: ({ resident }) => (model = resident.identifier),
          finished(answer) {
            const text = answer.parts.map(({ content }) => content).join('');
            const extra = exchange.path.startsWith('/api/v0/')
              ? restV0Fields(backend, answer)
              : { stats: {} };
            const rest = { usage: usageOf(answer), ...extra };
            exchange.send({ status: 200, body: body([choice(text, finishReason(answer))], rest) });
          },
          failed: (failure) => sendFailure(exchange, failure),
        };
  await generate(
    backend,
    exchange,
    {
      model: request.model ?? null,
      ttlSeconds: request.ttl ?? null,
      prompt: typeof request.prompt === 'string' ? request.prompt : request.prompt.join('\n'),
      imageCount: 0,
      tools: [],
      toolChoice: 'none',
      hasToolResult: false,
      schema: null,
      // A completion has no chat template, so the model is not asked to reason.
      mayReason: false,
      maxTokens: readLimit(request.max_tokens),
      stopStrings: readStop(request.stop),
    },
    writer,
  );
}
