import type { GenerationRequest } from '../../engine/engine.js';
import type { Sampling } from '../../engine/llama-door.js';
import { RequestError, invalidField, notSupported } from '../../engine/request-error.js';
import {
  arrayField,
  booleanField,
  numberField,
  objectField,
  objectsField,
  stringField,
  stringsField,
} from '../fields.js';
import { isJsonObject, type JsonObject } from '../json.js';
import { readMessages } from './chat-messages.js';

/** Reads a body of `/v1/chat/completions` without `model` and `stream`. */
export function readChatRequest(body: JsonObject): GenerationRequest {
  refuseUnsupported(body);
  const { messages, images } = readMessages(body);
  const responseFormat = readResponseFormat(body);
  const thinking = readThinking(body);
  const continues = booleanField(body, 'continue_final_message') === true;
  if (continues) checkContinued(body, messages);
  return {
    prompt: {
      messages,
      images,
      continues,
      format: {
        ...readTools(body),
        ...(responseFormat !== null && { response_format: responseFormat }),
        enable_thinking: thinking,
        ...readTemplateValues(body),
      },
    },
    sampling: readSampling(body),
    maxTokens: readMaxTokens(body),
    stops: stringsField(body, 'stop'),
  };
}

/** @throws RequestError where the last message cannot be continued */
function checkContinued(body: JsonObject, messages: readonly JsonObject[]): void {
  const last = messages.at(-1) ?? {};
  const isText = typeof last['content'] === 'string' && last['tool_calls'] === undefined;
  if (last['role'] !== 'assistant' || !isText)
    throw invalidField('messages', 'must end with a text of the assistant, which is continued');
  if (readResponseFormat(body) !== null) {
    throw invalidField(
      'response_format',
      'cannot be used where the last message is continued: its form holds for a whole answer',
    );
  }
}

/** Reads how tokens are chosen. `top_k`, `min_p` and `repeat_penalty` are additions of llama.cpp and LM Studio. */
export function readSampling(body: JsonObject): Sampling {
  const given = {
    seed: numberField(body, 'seed', { isInteger: true }),
    temperature: numberField(body, 'temperature', { min: 0 }),
    top_p: numberField(body, 'top_p', { min: 0, max: 1 }),
    // 0 and -1 mean all tokens.
    top_k: numberField(body, 'top_k', { min: -1, isInteger: true }),
    min_p: numberField(body, 'min_p', { min: 0, max: 1 }),
    penalty_repeat: numberField(body, 'repeat_penalty', { min: 0.01 }),
    penalty_freq: numberField(body, 'frequency_penalty', { min: -2, max: 2 }),
    penalty_present: numberField(body, 'presence_penalty', { min: -2, max: 2 }),
  };
  // -1 asks for another answer each time, as in llama.cpp (vllm-project/vllm #4531). llama.cpp takes a seed of 31 bits.
  const seed = given.seed === null || given.seed === -1 ? null : Math.abs(given.seed) % 0x7fffffff;
  return Object.fromEntries(
    Object.entries({ ...given, seed }).filter(([, value]) => value !== null),
  );
}

/** Why a request for several answers is refused. */
export const ONE_ANSWER = 'the engine gives one answer to each request';

/** Refuses what neither the engine nor the binding can do. */
export function refuseUnsupported(body: JsonObject): void {
  if ((numberField(body, 'n', { min: 1, isInteger: true }) ?? 1) !== 1) {
    throw notSupported(`n: ${ONE_ANSWER}; send the request several times`, 'n');
  }
  const bias = objectField(body, 'logit_bias');
  if (bias !== null && Object.keys(bias).length > 0) {
    throw notSupported('logit_bias: the binding of llama.cpp does not take it', 'logit_bias');
  }
  // Extensions of llama-server. A client that sends one relies on the form of the answer.
  for (const field of ['grammar', 'json_schema']) {
    const value = body[field];
    if (value !== undefined && value !== null && value !== '')
      throw notSupported(`${field}: the engine takes a JSON schema in 'response_format'`, field);
  }
  const logprobs = body['logprobs'];
  if (logprobs !== undefined && logprobs !== null && logprobs !== false) refuseLogprobs('logprobs');
  if ((numberField(body, 'top_logprobs') ?? 0) > 0) refuseLogprobs('top_logprobs');
  if (arrayField(body, 'modalities')?.includes('audio') === true) {
    throw notSupported('modalities: the engine answers with text only', 'modalities');
  }
  if (objectField(body, 'web_search_options') !== null) {
    // OpenAI refuses it with 400 for models that search nothing, and clients then send the request again without it.
    throw new RequestError(
      400,
      "Web search options not supported: the engine searches nothing. Send the request without 'web_search_options'.",
      { code: 'unknown_parameter', param: 'web_search_options' },
    );
  }
}

/** @throws RequestError */
export function refuseLogprobs(field: string): never {
  throw notSupported(`${field}: the binding does not give the chosen token's probability`, field);
}

/** Maximum number of tokens of the answer; null where the request sets no limit. */
export function readMaxTokens(body: JsonObject): number | null {
  // LM Studio and llama.cpp take -1 as no limit, and Zed always sends it.
  const [limit, olderLimit] = ['max_completion_tokens', 'max_tokens'].map((field) =>
    body[field] === -1 ? null : numberField(body, field, { min: 1, isInteger: true }),
  );
  return limit ?? olderLimit ?? null;
}

function readTools(body: JsonObject): {
  readonly tools?: readonly JsonObject[];
  readonly tool_choice?: string;
  readonly parallel_tool_calls?: boolean;
} {
  if ((arrayField(body, 'functions') ?? []).length > 0) {
    throw notSupported("functions: use 'tools', which replaced it", 'functions');
  }
  const tools = (objectsField(body, 'tools') ?? []).map((tool, index) => readTool(tool, index));
  if (tools.length === 0) return {};
  const { choice, names, isOneCall } = readToolChoice(body);
  const known = tools.map(nameOf);
  const missing = names?.find((name) => !known.includes(name));
  if (missing !== undefined)
    throw invalidField('tool_choice', `names the tool '${missing}', which is not in 'tools'`);
  const chosen = names === null ? tools : tools.filter((tool) => names.includes(nameOf(tool)));
  return {
    tools: chosen,
    tool_choice: choice,
    parallel_tool_calls: !isOneCall && (booleanField(body, 'parallel_tool_calls') ?? true),
  };
}

function readTool(tool: JsonObject, index: number): JsonObject {
  const path = `tools[${index}]`;
  if (tool['type'] !== 'function') {
    throw notSupported(`${path}: the engine knows only tools of type 'function'`, 'tools');
  }
  const declared = tool['function'];
  if (!isJsonObject(declared)) throw invalidField(`${path}.function`, 'must be an object');
  const place = `${path}.function`;
  const name = stringField(declared, 'name', place) ?? '';
  if (name === '') throw invalidField(`${place}.name`, 'is required');
  return {
    type: 'function',
    function: {
      name,
      description: stringField(declared, 'description', place) ?? '',
      parameters: objectField(declared, 'parameters', place) ?? { type: 'object', properties: {} },
    },
  };
}

function nameOf(tool: JsonObject): string {
  return stringField(objectField(tool, 'function') ?? {}, 'name') ?? '';
}

/** Which tools may or must be called; `names` is null for all. */
interface ToolChoice {
  readonly choice: string;
  readonly names: readonly string[] | null;
  readonly isOneCall: boolean;
}

function readToolChoice(body: JsonObject): ToolChoice {
  const value = body['tool_choice'] ?? 'auto';
  if (value === 'auto' || value === 'none' || value === 'required')
    return { choice: value, names: null, isOneCall: false };
  if (isJsonObject(value) && isJsonObject(value['function'])) {
    const name = stringField(value['function'], 'name');
    if (name !== null) return { choice: 'required', names: [name], isOneCall: true };
  }
  const allowed = isJsonObject(value) ? value['allowed_tools'] : undefined;
  if (isJsonObject(allowed)) return readAllowedTools(allowed);
  throw invalidField(
    'tool_choice',
    "must be 'auto', 'none', 'required', the name of a function, or the allowed tools",
  );
}

/** A part of the tools, so that a client can leave `tools` as it is. The prompt has the allowed tools only. */
function readAllowedTools(allowed: JsonObject): ToolChoice {
  const { mode } = allowed;
  const tools = objectsField(allowed, 'tools') ?? [];
  if (mode !== 'auto' && mode !== 'required')
    throw invalidField('tool_choice.allowed_tools.mode', "must be 'auto' or 'required'");
  if (tools.length === 0)
    throw invalidField('tool_choice.allowed_tools.tools', 'must hold at least one tool');
  return { choice: mode, names: tools.map(nameOf), isOneCall: false };
}

function readResponseFormat(body: JsonObject): JsonObject | null {
  const format = objectField(body, 'response_format');
  if (format === null) return null;
  switch (format['type']) {
    case undefined:
    case 'text':
      return null;
    case 'json_object':
      return { type: 'json_object', schema: format['schema'] ?? { type: 'object' } };
    case 'json_schema': {
      const declared = objectField(format, 'json_schema', 'response_format');
      const schema =
        declared === null ? null : objectField(declared, 'schema', 'response_format.json_schema');
      if (schema === null) throw invalidField('response_format.json_schema.schema', 'is required');
      return { type: 'json_schema', json_schema: { schema } };
    }
    default:
      throw invalidField('response_format.type', "must be 'text', 'json_object' or 'json_schema'");
  }
}

/** Whether the template may let the model think: `reasoning_effort: "none"` says no. */
function readThinking(body: JsonObject): boolean {
  const inTemplate = objectField(body, 'chat_template_kwargs')?.['enable_thinking'];
  if (typeof inTemplate === 'boolean') return inTemplate;
  return stringField(body, 'reasoning_effort') !== 'none';
}

function readTemplateValues(body: JsonObject): { chat_template_kwargs?: Record<string, string> } {
  const values = objectField(body, 'chat_template_kwargs');
  const effort = stringField(body, 'reasoning_effort');
  const all = { ...(effort !== null && { reasoning_effort: effort }), ...values };
  if (Object.keys(all).length === 0) return {};
  return {
    chat_template_kwargs: Object.fromEntries(
      Object.entries(all).map(([name, value]) => [name, JSON.stringify(value)]),
    ),
  };
}

/**
 * Whether the answer is streamed, and whether a last chunk has the usage. Without a stream, the options of a stream have no
 * effect, as with OpenAI and Ollama: some clients send them with each request (BerriAI/litellm #29434).
 */
export function readStreaming(body: JsonObject): {
  readonly streams: boolean;
  readonly includesUsage: boolean;
} {
  const options = objectField(body, 'stream_options') ?? {};
  return {
    streams: booleanField(body, 'stream') ?? false,
    includesUsage: booleanField(options, 'include_usage') === true,
  };
}
