import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { messages } from '../../protocols/anthropic/messages.js';
import { chatCompletions } from '../../protocols/openai/chat-completions.js';
import type { Failure, Protocol } from '../../protocols/protocol.js';
import { INFERENCE_ENDPOINTS } from '../../protocols/routes.js';
import { sendFailure } from '../responders.js';
import { createFailure } from '../../protocols/create-failure.js';
import { shorten } from '../../shorten.js';
import { isModelList } from './answer-models.js';

const COUNT_TOKENS = '/v1/messages/count_tokens';

/** The protocol of a path; null where no protocol has it. */
function protocolOf(path: string): Protocol | null {
  return INFERENCE_ENDPOINTS.get(path === COUNT_TOKENS ? '/v1/messages' : path)?.protocol ?? null;
}

/** The protocol in which a client reads a refusal. The package of Anthropic sends its version to every path. */
export function protocolOfClient(path: string, headers: IncomingHttpHeaders): Protocol {
  const isAnthropic = headers['anthropic-version'] !== undefined;
  return protocolOf(path) ?? (isAnthropic ? messages : chatCompletions);
}

/** Whether the path is the one that counts the tokens of a message. */
export function countsTokens(path: string): boolean {
  return path === COUNT_TOKENS;
}

/**
 * Answers a request that no endpoint takes: 405 for another method, 404 for another path. A request to change to
 * WebSocket gets 426: on this status Codex sends the same request over HTTP at once, on others it first tries again.
 */
export function answerNotServed(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): void {
  const { method = '', headers } = request;
  const protocol = protocolOfClient(path, headers);
  const allow = methodsOf(path);
  if (allow === null) sendFailure(response, protocol, unknownPath(path));
  else if (headers.upgrade?.toLowerCase() === 'websocket') {
    sendFailure(response, protocol, noWebSocket(path), {
      upgrade: 'HTTP/1.1',
      connection: 'close',
    });
  } else sendFailure(response, protocol, wrongMethod(method, path, allow), { allow });
}

/**
 * The endpoint that a client means whose base URL is wrong: without /v1, with /v1 twice, with another prefix, or with a slash
 * too many. Null where the path resembles no endpoint.
 */
export function endpointMeant(path: string): string | null {
  const plain = path
    .replace(/\/{2,}/g, '/')
    .replace(/\/$/, '')
    .toLowerCase();
  const candidates = [plain, `/v1${plain}`, plain.replace(/^\/v1(?=\/v1\/)/, '')];
  const meant = candidates.find((one) => one !== path && methodsOf(one) !== null);
  if (meant !== undefined) return meant;
  const versionAt = plain.lastIndexOf('/v1/');
  if (versionAt !== -1) {
    // The whole rest must be an endpoint: OpenAI has further paths that end alike, such as the messages of a thread.
    const rest = plain.slice(versionAt);
    return versionAt > 0 && methodsOf(rest) !== null ? rest : null;
  }
  return ENDINGS.find(([ending]) => plain.endsWith(ending))?.[1] ?? null;
}

/** How the paths of the endpoints end where a base URL has another prefix, such as that of Azure. */
const ENDINGS = [...INFERENCE_ENDPOINTS.keys()]
  .filter((path) => path.startsWith('/v1/'))
  .map((path) => [path.slice('/v1'.length), path] as const);

/** The methods of an endpoint, as the header `Allow` names them; null where the path is none. */
function methodsOf(path: string): string | null {
  if (protocolOf(path) !== null) return 'POST';
  return isModelList(path) ? 'GET, HEAD' : null;
}

/** Paths of Ollama's own API, and of LM Studio's API v1. */
const OLLAMA = /^\/api\/(tags|chat|generate|show|ps|version|pull|embed|embeddings)$/;
const LM_STUDIO_V1 = /^\/api\/v1\//;

/** What a client can do instead of asking an endpoint that needs stored data: the gateway stores none. */
const INSTEAD: readonly (readonly [RegExp, string])[] = [
  [/^\/v1\/(?:messages\/)?batches/, 'Send the requests of the batch one by one.'],
  [/^\/v1\/responses\/(?:input_tokens|compact)$/, 'Send the whole input to /v1/responses.'],
  [/^\/v1\/responses\//, 'POST /v1/responses gives a response; it can not be asked for again.'],
  [/^\/v1\/conversations/, 'Name `previous_response_id`, or send the conversation as `input`.'],
  [/^\/v1\/(?:files|uploads)/, 'Send the content in the request that needs it.'],
];
const SERVED = [...INFERENCE_ENDPOINTS.keys(), COUNT_TOKENS, '/v1/models'].join(', ');

/** The next step for a path that resembles no endpoint. */
function nextStep(path: string): string {
  const instead = INSTEAD.find(([paths]) => paths.test(path));
  if (instead !== undefined) return instead[1];
  if (path.startsWith('/v1/')) return `It has ${SERVED}.`;
  return 'The base URL of an OpenAI client ends in /v1; the base URL of an Anthropic client has no path.';
}

function hintFor(path: string): string {
  // First, because paths of other APIs end like endpoints and take other bodies.
  if (OLLAMA.test(path))
    return " This is Ollama's API. Choose the OpenAI-compatible provider in your program instead.";
  if (LM_STUDIO_V1.test(path))
    return " This is LM Studio's own API. Send it to LM Studio itself, or use /v1 here.";
  const meant = endpointMeant(path);
  return meant === null ? '' : ` Did you mean ${shorten(meant)}?`;
}

function unknownPath(path: string): Failure {
  const hint = hintFor(path);
  return createFailure(
    'not_supported',
    404,
    `The gateway has no endpoint ${JSON.stringify(shorten(path))}.${hint} ${nextStep(path)}`,
  );
}

function wrongMethod(method: string, path: string, allow: string): Failure {
  return createFailure(
    'invalid_request',
    405,
    `${shorten(path)} does not take ${method}. It takes ${allow}.`,
  );
}

function noWebSocket(path: string): Failure {
  return createFailure(
    'not_supported',
    426,
    `The gateway does not support WebSocket. Send the request to ${shorten(path)} as an HTTP POST.`,
  );
}
