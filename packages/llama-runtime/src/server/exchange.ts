import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Engine } from '../engine/engine.js';
import { RequestError } from '../engine/request-error.js';
import { isJsonObject, type JsonObject } from './json.js';

const LARGEST_BODY_BYTES = 64 * 1024 * 1024;
/** Time after which a client that takes nothing is cut off. */
const STALL_MS = 60_000;

/** How a protocol writes an error. */
export type ErrorForm = (error: RequestError) => JsonObject;

/** A request and its answer. */
export interface Exchange {
  readonly engine: Engine;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
}

/**
 * Reads the body as a JSON object.
 *
 * @throws RequestError 400, 413 or 415
 */
export async function readBody({ request }: Exchange): Promise<JsonObject> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new RequestError(415, `the body is compressed with ${encoding}; send it as it is`);
  }
  const tooLarge = (): RequestError =>
    new RequestError(413, `the body is larger than ${LARGEST_BODY_BYTES / 1024 ** 2} MiB`);
  if (Number(request.headers['content-length'] ?? 0) > LARGEST_BODY_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > LARGEST_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  const body = parseJson(Buffer.concat(chunks));
  if (!isJsonObject(body)) throw new RequestError(400, 'the body must be a JSON object');
  return body;
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, body: JsonObject): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Writes server-sent events. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #signal: AbortSignal;

  constructor({ response, signal }: Pick<Exchange, 'response' | 'signal'>) {
    this.#response = response;
    this.#signal = signal;
  }

  /**
   * Sends an event, and waits while the client does not read. The first event sends the headers.
   *
   * @throws the signal's reason where the client has left or takes nothing
   */
  async send(data: JsonObject | '[DONE]', event: string | null = null): Promise<void> {
    this.#signal.throwIfAborted();
    if (!this.#response.headersSent) {
      this.#response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
      });
    }
    const name = event === null ? '' : `event: ${event}\n`;
    const text = data === '[DONE]' ? data : JSON.stringify(data);
    if (this.#response.write(`${name}data: ${text}\n\n`)) return;
    const stalled = setTimeout(() => this.#response.destroy(), STALL_MS);
    try {
      await once(this.#response, 'drain', { signal: this.#signal });
    } finally {
      clearTimeout(stalled);
    }
  }

  end(): void {
    this.#response.end();
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return JSON.parse(text, SURROGATE.test(text) ? wellFormed : undefined);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RequestError(400, `the body is not JSON: ${reason}`);
  }
}

/** The escape of one half of a character beyond 16 bits. */
const SURROGATE = /\\u[dD][89a-fA-F]/;

/**
 * Replaces a half without its other half, which llama.cpp refuses. Clients that cut a text within an emoji send one, and would
 * send it with each further turn of the conversation.
 */
function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? Buffer.from(value).toString() : value;
}
