import type { Backend } from '../../runtime/backend.js';
import type { AnswerPart } from '../../predicting/answer.js';
import { isAtLeast } from '../../profile/http-api.js';
import type { Exchange } from '../exchange.js';
import { generate, WITHOUT_STREAM } from '../generation/generate.js';
import type { AnswerWriter } from '../generation/generate.js';
import { newCallIdentifier, newIdentifier } from '../generation/identifiers.js';
import { chatBody, finishReason, reasoningField, restV0Fields, usageOf } from './chat-answer.js';
import { sendFailure, sendStreamFailure } from './failures.js';
import { readChatRequest } from './read-chat-request.js';

/** `POST /v1/chat/completions` and `POST /api/v0/chat/completions` */
export async function chatCompletions(backend: Backend, exchange: Exchange): Promise<void> {
  const request = readChatRequest(exchange.body);
  const head = {
    id: newIdentifier('chatcmpl-'),
    created: Math.floor(backend.runtime.clock.now() / 1000),
  };
  const isV0 = exchange.path.startsWith('/api/v0/');
  const writer: AnswerWriter = request.streams
    ? streamChat(backend, exchange, { ...head, includesUsage: request.includesUsage })
    : {
        ...WITHOUT_STREAM,
        finished: (answer) =>
          exchange.send({
            status: 200,
            body: {
              ...chatBody(backend, head, answer),
              ...(isV0 ? restV0Fields(backend, answer) : {}),
            },
          }),
        failed: (failure) => sendFailure(exchange, failure),
      };
  await generate(backend, exchange, request.generation, writer);
}

/**
 * Streams chunks. Captured: the first chunk has the role and the first token; the finish reason has a chunk of its
 * own (lmstudio-bug-tracker #649, #676); 0.3.9 repeats the role in each chunk (#378); until 0.3.16, later parts of
 * a tool call have an empty name (#649). The usage has a chunk without choices since 0.3.18, as OpenAI documents
 * it.
 */
function streamChat(
  backend: Backend,
  exchange: Exchange,
  {
    id,
    created,
    includesUsage,
  }: { readonly id: string; readonly created: number; readonly includesUsage: boolean },
): AnswerWriter {
  const { version } = backend.runtime.profile;
  const repeatsRole = !isAtLeast(version, '0.3.10');
  const repeatsName = !isAtLeast(version, '0.3.16');
  let model = '';
  let reasoning: 'reasoning' | 'reasoning_content' = 'reasoning_content';
  let isFirst = true;
  let current: AnswerPart | null = null;
  let calls = 0;

  const sendChunk = (fields: object): void =>
    exchange.sendEvent({
      id,
      object: 'chat.completion.chunk',
      created,
      model,
      system_fingerprint: model,
      ...fields,
    });
  const sendChoice = (delta: object, reason: string | null): void =>
    sendChunk({ choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }] });
  const sendDelta = (delta: object): void => {
    sendChoice(isFirst || repeatsRole ? { role: 'assistant', ...delta } : delta, null);
    isFirst = false;
  };
  const callDelta = (index: number, fields: object, call: object): object => ({
    tool_calls: [{ index, ...fields, type: 'function', function: call }],
  });

  return {
    started({ resident }) {
      model = resident.identifier;
      reasoning = reasoningField(backend, resident);
      exchange.startStream();
    },
    prompted: () => {},
    content(part, content) {
      const isNew = part !== current;
      current = part;
      if (part.type !== 'toolCall') {
        sendDelta(part.type === 'text' ? { content } : { [reasoning]: content });
        return;
      }
      if (isNew) {
        const call = { name: part.toolName, arguments: '' };
        sendDelta(callDelta(calls++, { id: newCallIdentifier() }, call));
      }
      const rest = repeatsName ? { name: '', arguments: content } : { arguments: content };
      sendDelta(callDelta(calls - 1, {}, rest));
    },
    finished(answer) {
      sendChoice({}, finishReason(answer));
      if (includesUsage && isAtLeast(version, '0.3.18')) {
        sendChunk({ choices: [], usage: usageOf(answer) });
      }
      exchange.sendEvent('[DONE]');
      exchange.endStream();
    },
    failed: (failure) => sendStreamFailure(exchange, failure),
  };
}
