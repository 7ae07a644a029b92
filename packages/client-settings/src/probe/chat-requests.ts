import type { GatewayAccess } from '../gateway-access.js';
import { keyOf } from '../gateway-access.js';
import { errorIn, field, listField } from './fields.js';
import { jsonHeaders, type ProbeRequest, QUESTION, TOOL_PARAMETERS } from './probe-request.js';
import { eventJson, type ServerEvent } from './server-events.js';

/** How a client that speaks OpenAI's chat protocol sends its requests. */
export interface ChatClient {
  /** The header `user-agent`. */
  readonly agent: string;
  /** Whether the client offers tools to the model. */
  readonly tools: boolean;
  /** Further headers of the client. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `max_tokens` of a chat; null: the client sets no limit. Default 64. */
  readonly maxTokens?: number | null;
}

/** The model list and a streamed chat, as clients with OpenAI's chat protocol send them. */
export function chatRequests(access: GatewayAccess, client: ChatClient): readonly ProbeRequest[] {
  const headers = jsonHeaders(keyOf(access), client.agent, client.headers);
  return [
    {
      title: 'list of models',
      method: 'GET',
      path: '/v1/models',
      headers,
      body: null,
      answer: { kind: 'json', check: checkModelList },
    },
    {
      title: client.tools ? 'streamed chat with tools' : 'streamed chat',
      method: 'POST',
      path: '/v1/chat/completions',
      headers,
      body: {
        ...chatBody(access.model, client.tools, client.maxTokens),
        stream_options: { include_usage: true },
      },
      answer: { kind: 'stream', check: checkChatStream },
    },
  ];
}

/**
 * Zed's requests to its provider `lmstudio`. Source: crates/lmstudio and crates/language_models/src/provider/lmstudio.rs of
 * https://github.com/zed-industries/zed.
 */
export function zedRequests(access: GatewayAccess): readonly ProbeRequest[] {
  const headers = jsonHeaders(keyOf(access), 'Zed');
  return [
    {
      title: 'list of models',
      method: 'GET',
      path: '/api/v0/models',
      headers,
      body: null,
      answer: { kind: 'json', check: checkZedModels },
    },
    {
      title: 'streamed chat with tools',
      method: 'POST',
      path: '/api/v0/chat/completions',
      headers,
      body: {
        ...chatBody(access.model, true, UNLIMITED),
        stream_options: { include_usage: true },
        stop: [],
      },
      answer: { kind: 'stream', check: checkChatStream },
    },
  ];
}

/** LM Studio's value for an answer without a limit. Zed sends it with each request. */
const UNLIMITED = -1;

function chatBody(model: string, tools: boolean, maxTokens: number | null = 64): object {
  const tool = {
    type: 'function',
    function: { name: 'read_file', description: 'Reads a file', parameters: TOOL_PARAMETERS },
  };
  return {
    model,
    messages: [
      { role: 'system', content: 'You are a helpful assistant.' },
      { role: 'user', content: QUESTION },
    ],
    stream: true,
    ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
    ...(tools ? { tools: [tool], tool_choice: 'auto' } : {}),
  };
}

function checkModelList(body: unknown): string {
  const names = listField(body, 'data').map((model) => field(model, 'id'));
  if (names.length === 0) throw new Error('the list of models is empty');
  if (!names.every((name) => typeof name === 'string')) throw new Error('a model has no `id`');
  return `${names.length} models${names.includes('auto') ? ', auto among them' : ''}`;
}

/** Zed refuses the whole list where one entry lacks a field or has an unknown word. */
function checkZedModels(body: unknown): string {
  const models = listField(body, 'data');
  if (models.length === 0) throw new Error('the list of models is empty');
  const words: Readonly<Record<string, readonly string[]>> = {
    type: ['llm', 'vlm', 'embeddings'],
    compatibility_type: ['gguf', 'mlx'],
    state: ['loaded', 'loading', 'not-loaded'],
  };
  for (const model of models) {
    const id = String(field(model, 'id'));
    for (const name of ['id', 'object', 'publisher']) {
      if (typeof field(model, name) !== 'string')
        throw new Error(`${id} has no text in \`${name}\``);
    }
    for (const [name, known] of Object.entries(words)) {
      const word = field(model, name);
      if (typeof word !== 'string' || !known.includes(word)) {
        throw new Error(
          `${id} has ${word === undefined ? 'nothing' : JSON.stringify(word)} in \`${name}\`, which Zed does not know`,
        );
      }
    }
  }
  return `${models.length} models`;
}

function checkChatStream(events: readonly ServerEvent[]): string {
  const last = events.at(-1);
  const chunks = events.filter(({ data }) => data !== '[DONE]').map(eventJson);
  const failure = chunks.map(errorIn).find((message) => message !== null);
  if (failure !== undefined) throw new Error(failure);
  if (last?.data !== '[DONE]') throw new Error('the stream ended without [DONE]');
  const choices = chunks.flatMap((chunk) => listField(chunk, 'choices'));
  const reason = choices.map((choice) => field(choice, 'finish_reason')).find(Boolean);
  if (typeof reason !== 'string') throw new Error('no chunk has a finish reason');
  const tokens = chunks.map((chunk) => field(chunk, 'usage', 'completion_tokens')).find(Boolean);
  const usage = typeof tokens === 'number' ? `, ${tokens} tokens` : '';
  return `${chunks.length} chunks, finish reason ${reason}${usage}`;
}
