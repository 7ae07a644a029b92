import { randomUUID } from 'node:crypto';
import type { AnswerEnd } from '../../engine/answer.js';
import type { PreparedRequest } from '../../engine/engine.js';
import { blocksOf, type Block, type BlockEvent } from '../answer-blocks.js';
import { EventStream, readBody, sendJson, type Exchange } from '../exchange.js';
import { booleanField } from '../fields.js';
import type { JsonObject } from '../json.js';
import { readChatRequest } from '../openai/chat-request.js';
import { readModel } from '../openai/models.js';
import {
  readResponseTools,
  textOfArguments,
  type CalledTool,
  type ResponseTools,
} from './response-tools.js';
import { chatBodyOf } from './responses-request.js';

/** An item of the output, with the events from its start to its end. */
interface OpenItem {
  readonly id: string;
  readonly callId: string;
  /** Null: the item is no call. */
  readonly called: CalledTool | null;
}

/** Answers `POST /v1/responses`. Nothing is stored, whatever `store` says, and the response says so. */
export async function createResponse(exchange: Exchange): Promise<void> {
  const { engine, response } = exchange;
  const body = await readBody(exchange);
  const model = readModel(engine, body);
  const streams = booleanField(body, 'stream') ?? false;
  const tools = readResponseTools(body);
  const request = await engine.prepare(readChatRequest(chatBodyOf(body, tools)));
  const head = headOf(body, model, tools);
  if (streams) {
    await streamResponse(exchange, request, head, tools);
    return;
  }
  const output: JsonObject[] = [];
  const events = blocksOf(engine.generate(request, exchange.signal));
  for (;;) {
    const step = await events.next();
    if (step.done === true) {
      sendJson(response, 200, finished(head, output, step.value));
      return;
    }
    const event = step.value;
    if (event.type === 'close') output.push(closedItem(newItem(event.block, tools), event));
  }
}

/** Sends the events in OpenAI's order; every event has the next sequence number. */
async function streamResponse(
  exchange: Exchange,
  request: PreparedRequest,
  head: JsonObject,
  tools: ResponseTools,
): Promise<void> {
  const stream = new EventStream(exchange);
  let sequence = 0;
  const send = async (type: string, fields: JsonObject): Promise<void> => {
    await stream.send({ type, sequence_number: sequence, ...fields }, type);
    sequence += 1;
  };
  const output: JsonObject[] = [];
  const events = blocksOf(exchange.engine.generate(request, exchange.signal));
  let step = await events.next();
  const started = { ...head, status: 'in_progress', output: [], usage: null };
  await send('response.created', { response: started });
  await send('response.in_progress', { response: started });
  let item: OpenItem | null = null;
  while (step.done !== true) {
    const event = step.value;
    if (event.type === 'open' || item === null) item = newItem(event.block, tools);
    for (const { type, fields } of eventsOf(event, item)) await send(type, fields);
    if (event.type === 'close') output.push(closedItem(item, event));
    step = await events.next();
  }
  const response = finished(head, output, step.value);
  await send(`response.${String(response['status'])}`, { response });
  stream.end();
}

interface WireEvent {
  readonly type: string;
  readonly fields: JsonObject;
}

function eventsOf(event: BlockEvent, item: OpenItem): readonly WireEvent[] {
  const { index, block } = event;
  const place = { item_id: item.id, output_index: index };
  const part = { ...place, content_index: 0 };
  const { called } = item;
  if (called?.kind === 'custom') return customEvents(event, item);
  const name = called
    ? 'response.function_call_arguments'
    : block.type === 'content'
      ? 'response.output_text'
      : 'response.reasoning_text';
  const logprobs = block.type === 'content' && { logprobs: [] };
  if (event.type === 'text') {
    return [
      {
        type: `${name}.delta`,
        fields: { ...(called ? place : part), delta: event.text, ...logprobs },
      },
    ];
  }
  if (event.type === 'open') {
    const added = itemOf(item, block, null, 'in_progress');
    return [
      { type: 'response.output_item.added', fields: { output_index: index, item: added } },
      ...(called
        ? []
        : [{ type: 'response.content_part.added', fields: { ...part, part: partOf(block, '') } }]),
    ];
  }
  const { text } = event;
  const done = called
    ? [{ type: `${name}.done`, fields: { ...place, name: called.name, arguments: text } }]
    : [
        { type: `${name}.done`, fields: { ...part, text, ...logprobs } },
        { type: 'response.content_part.done', fields: { ...part, part: partOf(block, text) } },
      ];
  return [
    ...done,
    {
      type: 'response.output_item.done',
      fields: { output_index: index, item: closedItem(item, event) },
    },
  ];
}

/**
 * The events of a call of a tool that takes free text. The text stands inside the JSON of the model's arguments, so it is sent
 * when it is whole.
 */
function customEvents(event: BlockEvent, item: OpenItem): readonly WireEvent[] {
  const { index, block } = event;
  const place = { item_id: item.id, output_index: index };
  switch (event.type) {
    case 'open': {
      const added = itemOf(item, block, null, 'in_progress');
      return [{ type: 'response.output_item.added', fields: { output_index: index, item: added } }];
    }
    case 'text':
      return [];
    case 'close': {
      const input = textOfArguments(event.text);
      const done = closedItem(item, event);
      return [
        { type: 'response.custom_tool_call_input.delta', fields: { ...place, delta: input } },
        { type: 'response.custom_tool_call_input.done', fields: { ...place, input } },
        { type: 'response.output_item.done', fields: { output_index: index, item: done } },
      ];
    }
  }
}

function newItem(block: Block, tools: ResponseTools): OpenItem {
  const prefixes = { content: 'msg', reasoning: 'rs', 'tool-call': 'fc' } as const;
  const unique = randomUUID().replaceAll('-', '');
  return {
    id: `${prefixes[block.type]}_${unique}`,
    callId: `call_${unique}`,
    called: block.type === 'tool-call' ? tools.called(block.name) : null,
  };
}

function closedItem(
  item: OpenItem,
  { block, text, isCut }: Extract<BlockEvent, { type: 'close' }>,
): JsonObject {
  return itemOf(item, block, text, isCut ? 'incomplete' : 'completed');
}

/** @param text - null while the item has no content yet */
function itemOf(
  { id, callId, called }: OpenItem,
  block: Block,
  text: string | null,
  status: string,
): JsonObject {
  if (called !== null) {
    const { kind, name, namespace } = called;
    const call = { id, status, call_id: callId, name, ...(namespace !== null && { namespace }) };
    return kind === 'function'
      ? { ...call, type: 'function_call', arguments: text ?? '' }
      : { ...call, type: 'custom_tool_call', input: text === null ? '' : textOfArguments(text) };
  }
  const content = text === null ? [] : [partOf(block, text)];
  return block.type === 'reasoning'
    ? { id, type: 'reasoning', status, summary: [], content }
    : { id, type: 'message', role: 'assistant', status, content };
}

function partOf(block: Block, text: string): JsonObject {
  return block.type === 'content'
    ? { type: 'output_text', text, annotations: [], logprobs: [] }
    : { type: 'reasoning_text', text };
}

/** The fields that do not change, with the request's values, as OpenAI repeats them. */
function headOf(body: JsonObject, model: string, { offered }: ResponseTools): JsonObject {
  return {
    id: `resp_${randomUUID().replaceAll('-', '')}`,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    model,
    error: null,
    incomplete_details: null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    metadata: body['metadata'] ?? {},
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: null,
    reasoning: body['reasoning'] ?? { effort: null, summary: null },
    store: false,
    temperature: body['temperature'] ?? null,
    text: body['text'] ?? { format: { type: 'text' } },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: offered,
    top_p: body['top_p'] ?? null,
    truncation: 'disabled',
  };
}

function finished(head: JsonObject, output: readonly JsonObject[], end: AnswerEnd): JsonObject {
  const { promptTokens, completionTokens, cachedTokens } = end.usage;
  const isCut = end.finishReason === 'length';
  return {
    ...head,
    status: isCut ? 'incomplete' : 'completed',
    ...(isCut && { incomplete_details: { reason: 'max_output_tokens' } }),
    output,
    usage: {
      input_tokens: promptTokens,
      input_tokens_details: { cached_tokens: cachedTokens },
      output_tokens: completionTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: promptTokens + completionTokens,
    },
  };
}
