import { RequestError, invalidField, notSupported } from '../../engine/request-error.js';
import { arrayField, booleanField, objectField, objectsField, stringField } from '../fields.js';
import { isArray, isJsonObject, type JsonObject } from '../json.js';
import { refuseLogprobs } from '../openai/chat-request.js';
import {
  argumentsOfText,
  nameInNamespace,
  toolFieldsOf,
  type ResponseTools,
} from './response-tools.js';

/**
 * Items of tools that OpenAI runs itself. They need no answer, and the assistant's text after them says what they found. A
 * conversation that has begun there, or that offered such tools, so goes on with this engine.
 */
const RUN_BY_OPENAI: ReadonlySet<unknown> = new Set([
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'mcp_list_tools',
  'mcp_call',
  'mcp_approval_request',
  'mcp_approval_response',
  'tool_search_call',
  'tool_search_output',
]);
const NOT_STORED = 'the engine stores no responses; send the whole conversation in `input`';

/**
 * Translates a body of `/v1/responses` into one of `/v1/chat/completions`, without `model` and `stream`.
 *
 * @param tools - the tools of the body
 * @throws RequestError where a field needs stored state or a tool that the engine does not have
 */
export function chatBodyOf(body: JsonObject, tools: ResponseTools): JsonObject {
  refuseStoredState(body);
  if (arrayField(body, 'include')?.includes('message.output_text.logprobs') === true) {
    refuseLogprobs('include');
  }
  const instructions = stringField(body, 'instructions');
  const format = objectField(objectField(body, 'text') ?? {}, 'format', 'text');
  return {
    messages: [
      ...(instructions === null ? [] : [{ role: 'system', content: instructions }]),
      ...inputMessages(body),
    ],
    ...toolFieldsOf(body, tools),
    parallel_tool_calls: body['parallel_tool_calls'],
    max_tokens: body['max_output_tokens'],
    temperature: body['temperature'],
    top_p: body['top_p'],
    top_logprobs: body['top_logprobs'],
    reasoning_effort: objectField(body, 'reasoning')?.['effort'],
    ...(format !== null && { response_format: responseFormatOf(format) }),
  };
}

function refuseStoredState(body: JsonObject): void {
  if (stringField(body, 'previous_response_id') !== null) {
    throw new RequestError(400, `previous_response_id: ${NOT_STORED}`, {
      code: 'previous_response_not_found',
      param: 'previous_response_id',
    });
  }
  for (const field of ['conversation', 'prompt']) {
    if (body[field] !== undefined && body[field] !== null)
      throw notSupported(`${field}: ${NOT_STORED}`, field);
  }
  if (booleanField(body, 'background') === true) {
    throw notSupported('background: the engine stores no responses', 'background');
  }
}

function inputMessages(body: JsonObject): readonly JsonObject[] {
  if (typeof body['input'] === 'string') return [{ role: 'user', content: body['input'] }];
  const items = objectsField(body, 'input') ?? [];
  if (items.length === 0) throw invalidField('input', 'must be a text, or hold at least one item');
  const messages: JsonObject[] = [];
  let thoughts: string[] = [];
  for (const [index, item] of items.entries()) {
    if (RUN_BY_OPENAI.has(item['type'])) continue;
    const path = `input[${index}]`;
    if (item['type'] === 'reasoning') {
      thoughts.push(reasoningOf(item, path));
    } else {
      addItem(messages, item, path, thoughts.filter((text) => text !== '').join('\n'));
      thoughts = [];
    }
  }
  return messages;
}

/** @param reasoning - the reasoning right before the item; empty where there is none */
function addItem(messages: JsonObject[], item: JsonObject, path: string, reasoning: string): void {
  switch (item['type'] ?? 'message') {
    case 'message': {
      const message = { role: item['role'], content: contentOf(item['content'], path) };
      messages.push(item['role'] === 'assistant' ? withReasoning(message, reasoning) : message);
      return;
    }
    case 'function_call':
    case 'custom_tool_call':
    case 'local_shell_call': {
      const call = { id: item['call_id'], type: 'function', function: calledFunction(item) };
      // The model has written its text and its calls as one message.
      const isNew = messages.at(-1)?.['role'] !== 'assistant';
      const message = (isNew ? null : messages.pop()) ?? { role: 'assistant', content: '' };
      const calls: unknown = message['tool_calls'];
      messages.push({
        ...withReasoning(message, reasoning),
        tool_calls: [...(isArray(calls) ? calls : []), call],
      });
      return;
    }
    case 'function_call_output':
    case 'custom_tool_call_output':
    case 'local_shell_call_output':
      messages.push({
        role: 'tool',
        // The output of a shell has `id` in OpenAI's types. Some clients send `call_id`, as other outputs have.
        tool_call_id: item['call_id'] ?? item['id'],
        content: contentOf(item['output'], path),
      });
      return;
    case 'compaction':
      throw notSupported(
        `${path}: a compacted conversation is encrypted, and only OpenAI can read it; send the items that it stands for, or begin a new conversation`,
        'input',
      );
    case 'item_reference':
      throw new RequestError(
        400,
        `${path}: ${String(item['id'])} is not stored: ${NOT_STORED}. Vercel's \`ai\` does so with \`store: false\``,
        { code: 'item_not_found', param: 'input' },
      );
    default:
      throw notSupported(
        `${path}: the engine takes no items of type '${String(item['type'])}'`,
        'input',
      );
  }
}

/**
 * The text of reasoning. Templates such as Qwen 3's and gpt-oss's write it before the calls of the turn that goes on, and drop
 * that of earlier turns. OpenAI's own is encrypted, so only a summary is left of it, which the model has not written.
 */
function reasoningOf(item: JsonObject, path: string): string {
  return (objectsField(item, 'content') ?? [])
    .map((part, index) => {
      const { text } = part;
      if (typeof text !== 'string')
        throw invalidField(`${path}.content[${index}].text`, 'must be a string');
      return text;
    })
    .join('\n');
}

function withReasoning(message: JsonObject, reasoning: string): JsonObject {
  if (reasoning === '') return message;
  const before = stringField(message, 'reasoning_content');
  return { ...message, reasoning_content: before === null ? reasoning : `${before}\n${reasoning}` };
}

/** The function of a call, and its arguments. A shell of the client is a function for the model. */
function calledFunction(item: JsonObject): JsonObject {
  if (item['type'] === 'local_shell_call')
    return { name: 'local_shell', arguments: JSON.stringify(item['action'] ?? {}) };
  const name = nameInNamespace(stringField(item, 'name') ?? '', stringField(item, 'namespace'));
  if (item['type'] === 'function_call') return { name, arguments: item['arguments'] };
  return { name, arguments: argumentsOfText(stringField(item, 'input') ?? '') };
}

function contentOf(content: unknown, path: string): unknown {
  if (!isArray(content)) return content;
  return content.map((part, index) => {
    const type = isJsonObject(part) ? part['type'] : undefined;
    if (!isJsonObject(part)) throw invalidField(`${path}.content[${index}]`, 'must be an object');
    if (type === 'input_text' || type === 'output_text')
      return { type: 'text', text: part['text'] };
    if (type === 'refusal') return { type: 'refusal', refusal: part['refusal'] };
    if (type === 'input_image') {
      const url = part['image_url'] ?? null;
      if (url !== null || (part['file_id'] ?? null) === null)
        return { type: 'image_url', image_url: { url } };
      throw notSupported(
        `${path}.content[${index}].file_id: the engine stores no files; send the image in 'image_url' as a data URL`,
        'input',
      );
    }
    const next = type === 'input_file' ? '; send the text of the file' : '';
    throw notSupported(
      `${path}.content[${index}]: the engine takes no parts of type '${String(type)}'${next}`,
      'input',
    );
  });
}

function responseFormatOf(format: JsonObject): JsonObject {
  const { type, name, schema } = format;
  return type === 'json_schema' ? { type, json_schema: { name, schema } } : { type };
}
