import { RequestError, notSupported } from '../engine/request-error.js';
import { sendJson, type ErrorForm, type Exchange } from './exchange.js';
import { listModels } from './openai/models.js';
import { anthropicError } from './anthropic/anthropic-error.js';
import { countTokens, createMessage } from './anthropic/messages.js';
import { completeChat } from './openai/chat-completions.js';
import { completeText } from './openai/completions.js';
import { embed } from './openai/embeddings.js';
import { createResponse } from './responses/responses.js';
import { responsesError } from './responses/responses-error.js';
import { openAiError } from './openai/openai-error.js';

/** The handler of a path. */
export interface Route {
  readonly errorForm: ErrorForm;
  /** Whether the process ends after the answer. */
  readonly endsEngine: boolean;
  readonly handle: (exchange: Exchange) => Promise<void> | void;
}

const ROUTES: Readonly<
  Record<string, Readonly<Record<string, Partial<Route> & Pick<Route, 'handle'>>>>
> = {
  '/mai/state': { GET: { handle: sendState } },
  '/mai/stop': {
    POST: {
      endsEngine: true,
      handle: ({ response }) => sendJson(response, 200, { stopping: true }),
    },
  },
  '/v1/models': { GET: { handle: listModels } },
  '/v1/chat/completions': { POST: { handle: completeChat } },
  // Zed asks LM Studio's own API for chats.
  '/api/v0/chat/completions': { POST: { handle: completeChat } },
  '/v1/completions': { POST: { handle: completeText } },
  '/v1/embeddings': { POST: { handle: embed } },
  '/v1/responses': { POST: { errorForm: responsesError, handle: createResponse } },
  '/v1/messages': { POST: { errorForm: anthropicError, handle: createMessage } },
  '/v1/messages/count_tokens': { POST: { errorForm: anthropicError, handle: countTokens } },
};

/** Paths of OpenAI's API that the engine cannot serve, and the reason. */
const NOT_SERVED: readonly (readonly [string, string])[] = [
  ['/api/v0', "of LM Studio's own API, the engine has /api/v0/chat/completions only"],
  ['/v1/audio', 'the engine has no speech models'],
  ['/v1/images', 'the engine has no models that draw images'],
  ['/v1/videos', 'the engine has no models that make videos'],
  ['/v1/realtime', 'the engine has no realtime sessions'],
  ['/v1/moderations', 'the engine has no moderation model'],
  ['/v1/fine_tuning', 'the engine does not train models'],
  ['/v1/responses/', 'the engine stores no responses'],
  ['/v1/conversations', 'the engine stores no conversations'],
  ['/v1/assistants', 'the engine stores no assistants'],
  ['/v1/threads', 'the engine stores no threads'],
  ['/v1/files', 'the engine stores no files'],
  ['/v1/uploads', 'the engine stores no files'],
  ['/v1/vector_stores', 'the engine stores no vectors'],
  ['/v1/batches', 'the engine stores no batches'],
  ['/v1/messages/batches', 'the engine stores no batches'],
  ['/v1/rerank', 'the engine has no reranking'],
];

/** @throws RequestError 404, 405 or 501 where no route answers */
export function findRoute(method: string, path: string): Route {
  const methods = ROUTES[path];
  const route = methods?.[method];
  if (route !== undefined) return { errorForm: openAiError, endsEngine: false, ...route };
  if (methods !== undefined) {
    const allowed = Object.keys(methods).join(', ');
    throw new RequestError(405, `${method} is not allowed for ${path}; use ${allowed}`);
  }
  const refused = NOT_SERVED.find(([prefix]) => path.startsWith(prefix));
  if (refused !== undefined) throw notSupported(`${path}: ${refused[1]}`);
  throw new RequestError(404, `Unknown request URL: ${method} ${path}`, { code: 'unknown_url' });
}

function sendState({ engine, response }: Exchange): void {
  sendJson(response, 200, { ...engine.state, pid: process.pid });
}
