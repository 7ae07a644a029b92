import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestLog } from '../request-log.js';

/** An HTTP answer with a JSON body. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: object;
}

/** One HTTP request with its answer. After the client has gone, nothing is written. */
export interface Exchange {
  readonly method: string;
  /** The decoded path without the query. */
  readonly path: string;
  /** The path with the query, as the client sent it. */
  readonly url: string;
  /** The parsed body; `null` where the body is not JSON, and for a request without a body. */
  readonly body: unknown;
  readonly headers: IncomingMessage['headers'];
  /** Whether the headers of an event stream have been sent. */
  readonly isStreaming: boolean;
  /** Sends a JSON answer. */
  send(answer: HttpAnswer): void;
  /** Sends an HTML page, as another program would. */
  sendPage(html: string): void;
  /** Sends the headers of an event stream. */
  startStream(): void;
  /** Sends one server-sent event. A string is sent as it is, and anything else as JSON. */
  sendEvent(data: string | object, eventName?: string): void;
  endStream(): void;
  /** Cuts the connection. */
  cut(): void;
  /** Calls `listener` once if the client disconnects before the end of its answer. */
  onClientGone(listener: () => void): void;
}

/** The parts of an exchange that are known before its body. */
export interface ExchangeOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly log: RequestLog;
  /** Whether this process has cut the request's connection. */
  readonly isCutHere: () => boolean;
  readonly now: () => number;
}

// Images travel in the body, so the limit is far above the size of a text. LM Studio's own limit is not known.
const LARGEST_BODY_BYTES = 64 * 2 ** 20;

/** Reads a request and logs it. Also logs a client that disconnects before the end of its answer. */
export async function openExchange(options: ExchangeOptions): Promise<Exchange> {
  const { request, response, log, now } = options;
  const method = request.method ?? 'GET';
  const url = request.url ?? '/';
  const path = readPath(url);
  const startedMs = now();
  const listeners: (() => void)[] = [];
  let body: unknown = null;
  let isGone = false;
  let isCut = false;
  const noteClose = (): void => {
    if (response.writableFinished || isGone) return;
    isGone = true;
    if (!isCut && !options.isCutHere()) {
      const parameter = { endpoint: path, requestedAtMs: startedMs, body };
      log.add({ via: 'http', namespace: method, endpoint: 'disconnect', parameter });
    }
    for (const listener of listeners) listener();
  };
  response.on('close', noteClose);
  // A write to a reset connection fails. 'close' follows.
  response.on('error', () => {});
  body = method === 'POST' ? await readBody(request) : null;
  log.add({ via: 'http', namespace: method, endpoint: path, parameter: body });

  const canWrite = (): boolean => !isGone && !isCut && !response.writableEnded;
  return {
    method,
    path,
    url,
    body,
    headers: request.headers,
    get isStreaming() {
      return response.headersSent;
    },
    send(answer) {
      if (!canWrite()) return;
      // Captured in lmstudio-bug-tracker #618.
      response.setHeader('x-powered-by', 'Express');
      response.writeHead(answer.status, { 'content-type': 'application/json; charset=utf-8' });
      response.end(JSON.stringify(answer.body));
    },
    sendPage(html) {
      if (!canWrite()) return;
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(html);
    },
    startStream() {
      if (!canWrite()) return;
      // Captured in lmstudio-bug-tracker #1064.
      response.writeHead(200, {
        'x-powered-by': 'Express',
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache',
        connection: 'keep-alive',
      });
      response.flushHeaders();
    },
    sendEvent(data, eventName) {
      if (!canWrite()) return;
      const text = typeof data === 'string' ? data : JSON.stringify(data);
      const name = eventName === undefined ? '' : `event: ${eventName}\n`;
      response.write(`${name}data: ${text}\n\n`);
    },
    endStream() {
      if (canWrite()) response.end();
    },
    cut() {
      isCut = true;
      // Node passes written data to the socket only at the end of this turn.
      setImmediate(() => request.socket.destroy());
    },
    onClientGone(listener) {
      if (isGone) listener();
      else listeners.push(listener);
    },
  };
}

function readPath(url: string): string {
  const [encoded = '/'] = url.split('?');
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Throws where the body is not JSON, or where the client disconnects before the end of the body.
  try {
    for await (const chunk of request) {
      if (!Buffer.isBuffer(chunk)) return null;
      size += chunk.length;
      if (size > LARGEST_BODY_BYTES) return null;
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return null;
  }
}
