import {
  STATUS_CODES,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { createFailure } from '../../protocols/create-failure.js';
import type { Failure, FailureAnswer } from '../../protocols/protocol.js';
import { shorten } from '../../shorten.js';
import { protocolOfClient } from './answer-not-served.js';
import { answerAt, createLateRequests, type ArrivalTimes } from '../request/late-requests.js';
import { parseTarget } from '../request/request-target.js';

/**
 * Answers the requests that Node refuses before the gateway sees them: those that are no HTTP, too slow, or with an unknown
 * expectation. Node's own answers have no body.
 */
export function answerBrokenRequests(server: Server | HttpsServer, times: ArrivalTimes): void {
  const late = createLateRequests(server, times);
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    answerWith(unknownExpectation(request), request, response);
  });
  // Without a listener, Node closes the connection without an answer.
  server.on('connect', ({ headers }: IncomingMessage, socket: Duplex) => {
    const end = (): void => {
      socket.destroy();
    };
    // The client has gone, so nobody reads the answer.
    socket.on('error', end);
    if (isAnswering(socket)) end();
    else socket.end(bytesOf(NO_PROXY, headers), end);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const refuse = (): void => {
      if (socket.writable && !isAnswering(socket)) socket.write(bytesOf(brokenRequest(error.code)));
      socket.destroy(error);
    };
    if (error.code === REQUEST_TIMEOUT) late.judge(socket, refuse);
    else refuse();
  });
}

/** Bytes inside an answer that has begun would look like a part of that answer. Node makes the same check. */
function isAnswering(socket: Duplex): boolean {
  return answerAt(socket)?.headersSent === true;
}

/** Refuses requests with more than `most` headers, and passes on all others. */
export function refuseManyHeaders(handle: RequestListener, most: number): RequestListener {
  return (request, response) => {
    // Names and values in turns.
    if (request.rawHeaders.length <= 2 * most) {
      handle(request, response);
      return;
    }
    // Its body is not read.
    response.setHeader('connection', 'close');
    const message = `The request has more than ${most} headers. Send fewer.`;
    answerWith(createFailure('invalid_request', 431, message), request, response);
  };
}

function answerWith(failure: Failure, request: IncomingMessage, response: ServerResponse): void {
  const { status, headers, body } = failureAnswer(failure, request);
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}

const NO_PROXY = createFailure(
  'not_supported',
  405,
  'The gateway is not a proxy for other servers. Send the request itself to the gateway, such as POST /v1/chat/completions.',
);

/** Code of Node's error for a request that has not arrived in time. */
const REQUEST_TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT';

function unknownExpectation({ headers }: IncomingMessage): Failure {
  const expected = JSON.stringify(shorten(headers.expect ?? ''));
  return createFailure(
    'invalid_request',
    417,
    `The gateway cannot meet the expectation ${expected}. Send the request without the header Expect, or with 100-continue.`,
  );
}

function brokenRequest(code: string | undefined): Failure {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return createFailure(
        'invalid_request',
        431,
        'The headers of the request are too long. Send fewer or shorter headers.',
      );
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return createFailure(
        'too_large',
        413,
        'The chunk extensions of the body are too long. Send the body without them.',
      );
    case REQUEST_TIMEOUT:
      return createFailure(
        'invalid_request',
        408,
        'The request did not arrive in time. Send it again, and faster.',
      );
    default:
      return createFailure(
        'invalid_request',
        400,
        'The request is not valid HTTP/1.1, or two servers could read it differently. An HTTPS request to an address of http:// also looks so.',
      );
  }
}

/** The failure in the form that the clients of a path read. Where the path is not known, in OpenAI's, which most clients read. */
function failureAnswer(
  failure: Failure,
  { url, headers }: Pick<IncomingMessage, 'url' | 'headers'>,
): FailureAnswer {
  const path = parseTarget(url)?.path ?? '';
  const answer = protocolOfClient(path, headers).failure(failure);
  if (!path.startsWith('/api/mai/')) return answer;
  const error = { code: failure.code.toUpperCase(), message: failure.message };
  return { ...answer, body: JSON.stringify({ error }) };
}

/** An answer as the bytes of HTTP, after which the connection ends. */
function bytesOf(failure: Failure, requestHeaders: IncomingMessage['headers'] = {}): string {
  const { status, headers, body } = failureAnswer(failure, { headers: requestHeaders });
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
