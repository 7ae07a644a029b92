import type { IncomingMessage, ServerResponse } from 'node:http';
import { openAiFailure } from '../protocols/openai/failures.js';
import type { Failure, FailureCode, Protocol } from '../protocols/protocol.js';
import { INFERENCE_ENDPOINTS } from '../protocols/routes.js';
import { sendFailure } from './responders.js';

const COUNT_TOKENS = '/v1/messages/count_tokens';
const LISTS = ['/v1/models', '/api/v0/models'];
const QUOTED_MAX = 100;

/** The protocol of a path; null where no protocol has it. */
export function protocolOf(path: string): Protocol | null {
  return INFERENCE_ENDPOINTS.get(path === COUNT_TOKENS ? '/v1/messages' : path)?.protocol ?? null;
}

/** Whether the path is the one that counts the tokens of a message. */
export function countsTokens(path: string): boolean {
  return path === COUNT_TOKENS;
}

/** Whether the path is one of a list of models, or of an entry of a list. */
export function isModelList(path: string): boolean {
  return LISTS.some((list) => path === list || path.startsWith(`${list}/`));
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
  const protocol = protocolOf(path) ?? { failure: openAiFailure };
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
 * The endpoint that a client means whose base URL is wrong: without /v1, with /v1 twice, or with a slash too many. Null
 * where the path resembles no endpoint.
 */
export function endpointMeant(path: string): string | null {
  const plain = path
    .replace(/\/{2,}/g, '/')
    .replace(/\/$/, '')
    .toLowerCase();
  const candidates = [plain, `/v1${plain}`, plain.replace(/^\/v1(?=\/v1\/)/, '')];
  return candidates.find((one) => one !== path && methodsOf(one) !== null) ?? null;
}

/** The methods of an endpoint, as the header `Allow` names them; null where the path is none. */
function methodsOf(path: string): string | null {
  if (protocolOf(path) !== null) return 'POST';
  return isModelList(path) ? 'GET, HEAD' : null;
}

function unknownPath(path: string): Failure {
  const meant = endpointMeant(path);
  const hint = meant === null ? '' : ` Did you mean ${shortened(meant)}?`;
  return failureOf(
    'not_supported',
    404,
    `The gateway has no endpoint ${JSON.stringify(shortened(path))}.${hint} The base URL of an OpenAI client ends in /v1; the base URL of an Anthropic client has no path.`,
  );
}

function wrongMethod(method: string, path: string, allow: string): Failure {
  return failureOf(
    'invalid_request',
    405,
    `${shortened(path)} does not take ${method}. It takes ${allow}.`,
  );
}

function noWebSocket(path: string): Failure {
  return failureOf(
    'not_supported',
    426,
    `The gateway does not speak WebSocket. Send the request to ${shortened(path)} as an HTTP POST.`,
  );
}

function shortened(path: string): string {
  return path.length > QUOTED_MAX ? `${path.slice(0, QUOTED_MAX)}...` : path;
}

function failureOf(code: FailureCode, status: number, message: string): Failure {
  return { code, status, message, retryAfterSeconds: null };
}
