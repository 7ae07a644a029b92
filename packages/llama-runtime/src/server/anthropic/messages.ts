import { randomUUID } from 'node:crypto';
import type { AnswerEnd, Usage } from '../../engine/answer.js';
import type { PreparedRequest } from '../../engine/engine.js';
import { invalidField } from '../../engine/request-error.js';
import { blocksOf, type Block, type BlockEvent } from '../answer-blocks.js';
import { collectAnswer, type Answer } from '../collect-answer.js';
import { EventStream, readBody, sendJson, type Exchange } from '../exchange.js';
import { booleanField } from '../fields.js';
import { isJsonObject, type JsonObject } from '../json.js';
import { readChatRequest } from '../openai/chat-request.js';
import { readModel } from '../openai/models.js';
import { chatBodyOf, readMaxTokens } from './messages-request.js';

/** Answers `POST /v1/messages`. */
export async function createMessage(exchange: Exchange): Promise<void> {
  const { engine, response, signal } = exchange;
  const body = await readBody(exchange);
  const model = readModel(engine, body);
  const streams = booleanField(body, 'stream') ?? false;
  const maxTokens = readMaxTokens(body);
  if (maxTokens === null) throw invalidField('max_tokens', 'is required');
  const request = await engine.prepare(readChatRequest(chatBodyOf(body)));
  const head = { id: `msg_${randomUUID()}`, type: 'message', role: 'assistant', model };
  const answers = maxTokens > 0;
  if (streams) {
    await streamMessage(exchange, request, head, answers);
    return;
  }
  const answer = await collectAnswer(engine.generate(request, signal));
  const end = answers ? answer.end : endWithoutAnswer(answer.end);
  sendJson(response, 200, {
    ...head,
    content: answers ? contentOf(answer) : [],
    ...stopOf(end),
    usage: usageOf(end.usage),
  });
}

function contentOf({ content, reasoning, toolCalls }: Answer): readonly JsonObject[] {
  return [
    ...(reasoning === '' ? [] : [{ type: 'thinking', thinking: reasoning, signature: '' }]),
    ...(content === '' ? [] : [{ type: 'text', text: content }]),
    ...toolCalls.flatMap(({ name, argumentsText }) => toolUseOf(name, argumentsText)),
  ];
}

/**
 * The end of an answer to `max_tokens: 0`, which fills the cache with the prompt and has no content. The binding takes 0 as no
 * limit, so it generates one token, which is left out.
 */
function endWithoutAnswer({ usage, timings }: AnswerEnd): AnswerEnd {
  return {
    finishReason: 'length',
    stopSequence: null,
    usage: { ...usage, completionTokens: 0 },
    timings,
  };
}

/** Answers `POST /v1/messages/count_tokens` with the tokens that the same message would take as input. */
export async function countTokens(exchange: Exchange): Promise<void> {
  const { engine, response } = exchange;
  const body = await readBody(exchange);
  readModel(engine, body);
  const { promptTokens } = await engine.prepare(readChatRequest(chatBodyOf(body)));
  sendJson(response, 200, { input_tokens: promptTokens });
}

/** Sends Anthropic's events: the message, each block from start to stop, the stop reason, the end. */
async function streamMessage(
  exchange: Exchange,
  request: PreparedRequest,
  head: JsonObject,
  answers: boolean,
): Promise<void> {
  const stream = new EventStream(exchange);
  const send = async (type: string, fields: JsonObject): Promise<void> =>
    stream.send({ type, ...fields }, type);
  const events = blocksOf(exchange.engine.generate(request, exchange.signal));
  let step = await events.next();
  await send('message_start', {
    message: {
      ...head,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      // Only the end tells how many tokens were in the cache; the figures of `message_delta` replace these.
      usage: usageOf({
        promptTokens: request.promptTokens,
        completionTokens: 0,
        cachedTokens: 0,
      }),
    },
  });
  while (step.done !== true) {
    const { type, fields } = eventOf(step.value);
    if (answers) await send(type, fields);
    step = await events.next();
  }
  const end = answers ? step.value : endWithoutAnswer(step.value);
  await send('message_delta', {
    delta: stopOf(end),
    usage: usageOf(end.usage),
  });
  await send('message_stop', {});
  stream.end();
}

/** Anthropic counts the tokens of the prompt that were in the cache apart from the others. */
function usageOf({ promptTokens, completionTokens, cachedTokens }: Usage): JsonObject {
  return {
    input_tokens: promptTokens - cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
    output_tokens: completionTokens,
  };
}

function eventOf(event: BlockEvent): { readonly type: string; readonly fields: JsonObject } {
  const { index, block } = event;
  switch (event.type) {
    case 'open':
      return { type: 'content_block_start', fields: { index, content_block: emptyBlock(block) } };
    case 'text':
      return { type: 'content_block_delta', fields: { index, delta: deltaOf(block, event.text) } };
    case 'close':
      return { type: 'content_block_stop', fields: { index } };
  }
}

function emptyBlock(block: Block): JsonObject {
  switch (block.type) {
    case 'content':
      return { type: 'text', text: '' };
    case 'reasoning':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'tool-call':
      return { type: 'tool_use', id: toolUseId(), name: block.name, input: {} };
  }
}

function deltaOf(block: Block, text: string): JsonObject {
  switch (block.type) {
    case 'content':
      return { type: 'text_delta', text };
    case 'reasoning':
      return { type: 'thinking_delta', thinking: text };
    case 'tool-call':
      return { type: 'input_json_delta', partial_json: text };
  }
}

/** A call whose arguments were cut off is left out, because `input` must be an object. */
function toolUseOf(name: string, argumentsText: string): readonly JsonObject[] {
  const input = parseArguments(argumentsText);
  return input === null ? [] : [{ type: 'tool_use', id: toolUseId(), name, input }];
}

function parseArguments(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    // The token limit ended the answer inside the arguments.
    return null;
  }
}

function stopOf({ finishReason, stopSequence }: AnswerEnd): JsonObject {
  const reasons = { stop: 'end_turn', length: 'max_tokens', 'tool-calls': 'tool_use' } as const;
  return {
    stop_reason: stopSequence === null ? reasons[finishReason] : 'stop_sequence',
    stop_sequence: stopSequence,
  };
}

function toolUseId(): string {
  return `toolu_${randomUUID().replaceAll('-', '')}`;
}
