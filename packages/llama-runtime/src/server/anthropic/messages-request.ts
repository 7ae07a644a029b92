import { invalidField, notSupported } from '../../engine/request-error.js';
import { textOf, textOfBlock, unknownBlock } from './block-text.js';
import {
  arrayField,
  numberField,
  objectField,
  objectsField,
  stringField,
  stringsField,
} from '../fields.js';
import { isArray, isJsonObject, type JsonObject } from '../json.js';

/**
 * Translates a body of Anthropic's `/v1/messages` into one of `/v1/chat/completions`, without `model` and `stream`.
 *
 * @throws RequestError where a block or a tool has no counterpart
 */
export function chatBodyOf(body: JsonObject): JsonObject {
  if ((arrayField(body, 'mcp_servers') ?? []).length > 0) {
    throw notSupported('mcp_servers: the engine calls no MCP server; send their tools as `tools`');
  }
  const maxTokens = readMaxTokens(body);
  const system = textOf(withoutBilling(body['system']), 'system');
  const messages = readMessages(objectsField(body, 'messages') ?? []);
  return {
    messages: [...(system === '' ? [] : [{ role: 'system', content: system }]), ...messages],
    // As Anthropic documents it ('prefill').
    continue_final_message: isBegun(messages.at(-1)),
    ...toolsOf(body),
    max_tokens: maxTokens === null ? null : Math.max(1, maxTokens),
    temperature: numberField(body, 'temperature', { min: 0, max: 1 }),
    top_p: body['top_p'],
    top_k: body['top_k'],
    stop: stringsField(body, 'stop_sequences'),
    ...responseFormatOf(body),
    chat_template_kwargs: {
      enable_thinking: ['enabled', 'adaptive'].includes(
        String(objectField(body, 'thinking')?.['type']),
      ),
    },
  };
}

/** Maximum number of tokens of the answer; 0: only the prompt is read; null where the body has no limit. */
export function readMaxTokens(body: JsonObject): number | null {
  return numberField(body, 'max_tokens', { min: 0, isInteger: true });
}

/** Whether a message is a text of the assistant that the answer continues. */
function isBegun(message: JsonObject | undefined): boolean {
  return (
    message?.['role'] === 'assistant' &&
    message['tool_calls'] === undefined &&
    message['content'] !== ''
  );
}

const BILLING_MARK = 'x-anthropic-billing-header:';

/**
 * The instructions without the first block of Claude Code from version 2.1.36 on: a line such as
 * `x-anthropic-billing-header: cc_version=2.1.42.834; cc_entrypoint=cli; cch=65abc;`. Its `cch` changes with every request, so the
 * engine would find no part of the prompt in its cache (ggml-org/llama.cpp #19494). Only Anthropic's API reads the line.
 */
function withoutBilling(system: unknown): unknown {
  if (!isArray(system)) return system;
  const [first, ...others] = system;
  const text = isJsonObject(first) ? first['text'] : null;
  return typeof text === 'string' && text.startsWith(BILLING_MARK) ? others : system;
}

/** The form of the answer: `output_config.format`, or `output_format` of clients from before it. */
function responseFormatOf(body: JsonObject): JsonObject {
  const format =
    objectField(objectField(body, 'output_config') ?? {}, 'format', 'output_config') ??
    objectField(body, 'output_format');
  if (format === null) return {};
  const { type, schema } = format;
  if (type !== 'json_schema')
    throw invalidField('output_config.format.type', "must be 'json_schema'");
  return { response_format: { type, json_schema: { schema } } };
}

/**
 * The messages of the conversation. The last summary of Anthropic's own compaction takes the place of what was before it, as it
 * does there. It becomes a user's message, because many templates take no conversation that the assistant begins.
 */
function readMessages(messages: readonly JsonObject[]): readonly JsonObject[] {
  const read: JsonObject[] = [];
  for (const [index, message] of messages.entries()) {
    const path = `messages[${index}]`;
    const blocks = isArray(message['content']) ? message['content'] : [];
    const at = blocks.findLastIndex((block) => summaryOf(block) !== null);
    if (at < 0) {
      read.push(...messagesOf(message, path));
      continue;
    }
    const after = blocks.slice(at + 1);
    read.length = 0;
    read.push({ role: 'user', content: summaryOf(blocks[at]) });
    if (after.length > 0) read.push(...messagesOf({ ...message, content: after }, path));
  }
  return read;
}

/** The summary of a compaction; null for other blocks, and for a compaction that failed. */
function summaryOf(block: unknown): string | null {
  return isJsonObject(block) && block['type'] === 'compaction'
    ? stringField(block, 'content')
    : null;
}

function messagesOf(message: JsonObject, path: string): readonly JsonObject[] {
  const role = stringField(message, 'role', path);
  // Claude Code sends system messages between the turns.
  if (role === 'system') return [{ role, content: textOf(message['content'], path) }];
  if (role !== 'user' && role !== 'assistant')
    throw invalidField(`${path}.role`, "must be 'user', 'assistant' or 'system'");
  if (typeof message['content'] === 'string') return [{ role, content: message['content'] }];
  const blocks = objectsField(message, 'content');
  if (blocks === null) throw invalidField(`${path}.content`, 'is required');
  return role === 'user' ? userMessages(blocks, path) : [assistantMessage(blocks, path)];
}

/** Results of tools are messages of their own, before the user's text. */
function userMessages(blocks: readonly JsonObject[], path: string): readonly JsonObject[] {
  const results: JsonObject[] = [];
  const parts: JsonObject[] = [];
  for (const [index, block] of blocks.entries()) {
    const place = `${path}.content[${index}]`;
    if (block['type'] === 'tool_result') {
      results.push({
        role: 'tool',
        tool_call_id: stringField(block, 'tool_use_id') ?? '',
        content: resultOf(block['content'], place),
      });
    } else if (block['type'] === 'image') {
      parts.push({ type: 'image_url', image_url: { url: dataUrlOf(block, place) } });
    } else {
      const text = textOfBlock(block, place);
      if (text === null) throw unknownBlock(block, place);
      parts.push({ type: 'text', text });
    }
  }
  return parts.length === 0 ? results : [...results, { role: 'user', content: parts }];
}

function assistantMessage(blocks: readonly JsonObject[], path: string): JsonObject {
  const texts: string[] = [];
  const thoughts: string[] = [];
  const calls: JsonObject[] = [];
  for (const [index, block] of blocks.entries()) {
    if (block['type'] === 'text') texts.push(stringField(block, 'text') ?? '');
    else if (block['type'] === 'thinking') thoughts.push(stringField(block, 'thinking') ?? '');
    else if (block['type'] === 'tool_use') {
      calls.push({
        id: stringField(block, 'id') ?? '',
        type: 'function',
        function: {
          name: stringField(block, 'name') ?? '',
          arguments: JSON.stringify(block['input'] ?? {}),
        },
      });
    } else if (!needsNoAnswer(block)) {
      throw unknownBlock(block, `${path}.content[${index}]`);
    }
  }
  return {
    role: 'assistant',
    content: texts.join('\n'),
    ...(thoughts.length > 0 && { reasoning_content: thoughts.join('\n') }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/**
 * Whether a block may be left out. Anthropic runs its own tools itself, and the text after their results says what they found. So a
 * conversation that has begun there goes on with this engine.
 */
function needsNoAnswer({ type }: JsonObject): boolean {
  if (type === 'redacted_thinking' || type === 'compaction') return true;
  return (
    type === 'server_tool_use' || type === 'mcp_tool_use' || /_tool_result$/.test(String(type))
  );
}

/** The result of a tool: a text, or parts where it has an image, such as a picture that the agent has read. */
function resultOf(content: unknown, path: string): unknown {
  const isImage = (block: unknown): block is JsonObject =>
    isJsonObject(block) && block['type'] === 'image';
  if (!isArray(content) || !content.some(isImage)) return textOf(content, path);
  return content.map((block) =>
    isImage(block)
      ? { type: 'image_url', image_url: { url: dataUrlOf(block, path) } }
      : { type: 'text', text: textOf([block], path) },
  );
}

function dataUrlOf(block: JsonObject, path: string): string {
  const source = objectField(block, 'source') ?? {};
  const { type } = source;
  if (type === 'url' || type === 'file') {
    const lack = type === 'url' ? 'does not download images' : 'stores no files';
    throw notSupported(
      `${path}.source: the engine ${lack}; send the image itself, with a source of type 'base64'`,
    );
  }
  if (type !== 'base64') throw invalidField(`${path}.source.type`, "must be 'base64'");
  return `data:${stringField(source, 'media_type') ?? ''};base64,${stringField(source, 'data') ?? ''}`;
}

function toolsOf(body: JsonObject): JsonObject {
  const tools = (objectsField(body, 'tools') ?? []).map((tool, index) => {
    const type = stringField(tool, 'type');
    if (type !== null && type !== 'custom') {
      throw notSupported(`tools[${index}]: the engine runs no tools of its own such as '${type}'`);
    }
    const { name, description, input_schema: parameters } = tool;
    return { type: 'function', function: { name, description, parameters } };
  });
  if (tools.length === 0) return {};
  const choice = objectField(body, 'tool_choice') ?? { type: 'auto' };
  return {
    tools,
    tool_choice: toolChoiceOf(choice),
    parallel_tool_calls: choice['disable_parallel_tool_use'] !== true,
  };
}

function toolChoiceOf(choice: JsonObject): unknown {
  switch (choice['type']) {
    case 'auto':
    case 'none':
      return choice['type'];
    case 'any':
      return 'required';
    case 'tool':
      return { type: 'function', function: { name: choice['name'] } };
    default:
      throw invalidField('tool_choice.type', "must be 'auto', 'any', 'tool' or 'none'");
  }
}
