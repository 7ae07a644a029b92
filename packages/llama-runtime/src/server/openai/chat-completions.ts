import { randomUUID } from 'node:crypto';
import type { AnswerDelta, AnswerEnd, Timings, Usage } from '../../engine/answer.js';
import type { PreparedRequest } from '../../engine/engine.js';
import { EventStream, readBody, sendJson, type Exchange } from '../exchange.js';
import type { JsonObject } from '../json.js';
import { collectAnswer } from '../collect-answer.js';
import { readChatRequest, readStreaming } from './chat-request.js';
import { readModel } from './models.js';

const FINISH_REASONS = { stop: 'stop', length: 'length', 'tool-calls': 'tool_calls' } as const;

/** Answers `POST /v1/chat/completions`. */
export async function completeChat(exchange: Exchange): Promise<void> {
  const { engine, response, signal } = exchange;
  const body = await readBody(exchange);
  const model = readModel(engine, body);
  const { streams, includesUsage } = readStreaming(body);
  const request = await engine.prepare(readChatRequest(body));
  const head = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
  if (streams) {
    await streamChat(exchange, request, head, includesUsage);
    return;
  }
  const { content, reasoning, toolCalls, end } = await collectAnswer(
    engine.generate(request, signal),
  );
  const calls = toolCalls.map(({ name, argumentsText }) => ({
    id: callId(),
    type: 'function',
    function: { name, arguments: argumentsText },
  }));
  const message = {
    role: 'assistant',
    content: content === '' && calls.length > 0 ? null : content,
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  sendJson(response, 200, {
    ...head,
    object: 'chat.completion',
    choices: [
      { index: 0, message, logprobs: null, finish_reason: FINISH_REASONS[end.finishReason] },
    ],
    usage: usageOf(end.usage),
    ...timingsOf(end.timings),
  });
}

/** Sends the chunks in OpenAI's order: the role, the deltas, the finish reason, the usage, `[DONE]`. */
async function streamChat(
  exchange: Exchange,
  request: PreparedRequest,
  head: JsonObject,
  includesUsage: boolean,
): Promise<void> {
  const stream = new EventStream(exchange);
  const chunk = { ...head, object: 'chat.completion.chunk' };
  const send = async (
    delta: JsonObject,
    finishReason: string | null,
    more: JsonObject = {},
  ): Promise<void> =>
    stream.send({
      ...chunk,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...(includesUsage && { usage: null }),
      ...more,
    });
  const answer = exchange.engine.generate(request, exchange.signal);
  let hasRole = false;
  let end: AnswerEnd | null = null;
  while (end === null) {
    const step = await answer.next();
    if (!hasRole) await send({ role: 'assistant', content: '' }, null);
    hasRole = true;
    if (step.done === true) end = step.value;
    else await send(deltaOf(step.value), null);
  }
  await send({}, FINISH_REASONS[end.finishReason], timingsOf(end.timings));
  if (includesUsage) await stream.send({ ...chunk, choices: [], usage: usageOf(end.usage) });
  await stream.send('[DONE]');
  stream.end();
}

function deltaOf(delta: AnswerDelta): JsonObject {
  switch (delta.type) {
    case 'content':
      return { content: delta.text };
    case 'reasoning':
      return { reasoning_content: delta.text };
    case 'tool-call': {
      const { index, name } = delta;
      const call = { index, id: callId(), type: 'function', function: { name, arguments: '' } };
      return { tool_calls: [call] };
    }
    case 'tool-arguments':
      return { tool_calls: [{ index: delta.index, function: { arguments: delta.text } }] };
  }
}

/** Usage in the form of chats and completions. */
export function usageOf({ promptTokens, completionTokens, cachedTokens }: Usage): JsonObject {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
  };
}

/** The times of a request in the form of llama-server, `timings`; empty where they are not known. */
export function timingsOf(timings: Timings | null): JsonObject {
  if (timings === null) return {};
  return {
    timings: {
      prompt_n: timings.promptTokens,
      prompt_ms: timings.promptMs,
      predicted_n: timings.predictedTokens,
      predicted_ms: timings.predictedMs,
    },
  };
}

function callId(): string {
  return `call_${randomUUID().replaceAll('-', '')}`;
}
